import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire, WireHandler } from '@apisix-ts/core';
import { FakeClock } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { chooseDriver } from './choose-driver.ts';
import type { WireDriver } from './driver.ts';
import { createHandleDriver } from './handle/handle-driver.ts';
import { selfTest } from './self-test.ts';
import { createSocketDriver } from './socket/socket-driver.ts';

const wheel = new TimerWheel(new FakeClock());

describe('choosing a driver', () => {
  test('takes handles where they work', async () => {
    expect(await chooseDriver('auto', wheel)).toMatchObject({ driver: { name: 'handle' } });
  });

  test('takes sockets when it is told to', async () => {
    expect(await chooseDriver('socket', wheel)).toMatchObject({ driver: { name: 'socket' } });
  });

  test('takes handles in a worker thread, too', async () => {
    const worker = new Worker(new URL('./testing/choose-in-worker.ts', import.meta.url), {
      execArgv: ['--conditions=@apisix-ts/source'],
    });

    expect(await once(worker, 'message')).toEqual([{ name: 'handle', fallbackReason: undefined }]);
    await worker.terminate();
  });
});

describe('the self-test', () => {
  test('both drivers pass', async () => {
    expect(await selfTest(createSocketDriver(wheel))).toBeUndefined();
    expect(await selfTest(orThrow(createHandleDriver(wheel)))).toBeUndefined();
  });

  test.for<[string, (wire: Wire) => void, RegExp]>([
    ['a write that never has to wait', (wire) => (wire.write = () => true), /never had to wait/],
    ['bytes that change', (wire) => garble(wire), /out of order/],
    ['a reset that is a mere close', (wire) => (wire.reset = () => wire.close()), /a reset was not told/],
  ])('finds %s', async ([, spoil, message]) => {
    expect(await selfTest(spoiled(createSocketDriver(wheel), spoil))).toMatch(message);
  });
});

/** The driver with a fault in every wire. */
function spoiled(driver: WireDriver, spoil: (wire: Wire) => void): WireDriver {
  const spoilFirst = (onWire: (wire: Wire) => void) => (wire: Wire) => {
    spoil(wire);
    onWire(wire);
  };
  return {
    name: driver.name,
    listen: (options, handler) =>
      driver.listen(options, { ...handler, onWire: spoilFirst((wire) => handler.onWire(wire)) }),
    dial: (options, handler) =>
      driver.dial(options, { ...handler, onWire: spoilFirst((wire) => handler.onWire(wire)) }),
  };
}

function garble(wire: Wire): void {
  let real = wire.handler;
  Object.defineProperty(wire, 'handler', {
    get: (): WireHandler => ({
      onData: (view) => real.onData(Uint8Array.from(view, (byte) => byte ^ 1)),
      onWritten: () => real.onWritten(),
      onEnd: () => real.onEnd(),
      onClosed: (error) => real.onClosed(error),
    }),
    set(handler: WireHandler) {
      real = handler;
    },
  });
}

function orThrow(driver: WireDriver | undefined): WireDriver {
  if (driver === undefined) throw new Error('this Node has no TCP handles: the tests of them cannot run');
  return driver;
}
