import { once } from 'node:events';
import type { Server } from 'node:net';
import { freePort } from './free-port.ts';

/** Listens on a port that stays this process's own, so that it can be opened again. @returns the port. */
export async function listenOnLoopback(server: Server, host = '127.0.0.1'): Promise<number> {
  const port = await freePort();
  await once(server.listen({ host, port }), 'listening');
  return port;
}
