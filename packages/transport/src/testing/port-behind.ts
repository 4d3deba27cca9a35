import type { RelayToxic } from '@apisix-ts/core/contract';
import { openToxicProxy } from '@apisix-ts/testkit';
import { onTestFinished } from 'vitest';

/** The port to connect to, so that the connection has the toxic if it is on this side. */
export async function portBehind(
  port: number,
  toxic: RelayToxic | undefined,
  side: RelayToxic['side'],
): Promise<number> {
  if (toxic?.side !== side) return port;
  // The relay is what the client's proxy connects to, and what connects to the server's.
  const isToTarget = (side === 'client') === (toxic.way === 'toRelay');
  const proxy = await openToxicProxy({
    target: port,
    toxic: toxic.toxic,
    direction: isToTarget ? 'toTarget' : 'fromTarget',
  });
  onTestFinished(() => proxy.close());
  return proxy.port;
}
