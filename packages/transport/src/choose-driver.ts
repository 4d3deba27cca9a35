import type { TimerWheel } from '@apisix-ts/core';
import type { WireDriver } from './driver.ts';
import { createHandleDriver } from './handle/handle-driver.ts';
import { selfTest } from './self-test.ts';
import { createSocketDriver } from './socket/socket-driver.ts';

export interface DriverChoice {
  readonly driver: WireDriver;
  /** Why the handle driver was asked for and is not used; worth a line in the log. */
  readonly fallbackReason?: string;
}

/**
 * The driver for plain TCP of this thread.
 * @param wanted `auto`: handles if they pass the self-test (a few milliseconds); `socket`: sockets.
 */
export async function chooseDriver(wanted: 'auto' | 'socket', wheel: TimerWheel): Promise<DriverChoice> {
  if (wanted === 'socket') return { driver: createSocketDriver(wheel) };
  const driver = createHandleDriver(wheel);
  const fallbackReason =
    driver === undefined ? 'this Node has no TCP handles of the known kind' : await selfTest(driver);
  if (driver !== undefined && fallbackReason === undefined) return { driver };
  return { driver: createSocketDriver(wheel), ...(fallbackReason === undefined ? {} : { fallbackReason }) };
}
