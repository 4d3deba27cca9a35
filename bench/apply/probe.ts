import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Workbench } from '../programs/workbench.ts';

/** New answers in a row after which no worker can be left that still has the old route: 1 in 2^24 with two workers. */
const ENOUGH = 24;
const PATIENCE_MS = 5000;

/** A server that says `name` to everyone who connects. @returns its port. */
export async function openNamedServer(workbench: Workbench, name: string): Promise<number> {
  const server = createServer((socket) => {
    // The client may be gone already: it has what it came for.
    socket.on('error', () => {});
    socket.end(name);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  workbench.onClose(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
  return address.port;
}

/**
 * Connects again and again, each connection to whichever worker takes it, until all are answered by `name`.
 * @returns when the first connection began after which none was answered by another. `performance.now()`.
 */
export async function whenServedBy(name: string, port: number): Promise<number> {
  let sinceMs = performance.now();
  const deadlineMs = sinceMs + PATIENCE_MS;
  for (let inARow = 0; inARow < ENOUGH;) {
    const beganMs = performance.now();
    if (beganMs > deadlineMs) throw new Error(`the change was not in effect after ${PATIENCE_MS} ms`);
    const answer = await firstBytes(port);
    if (answer !== name) inARow = 0;
    else if (++inARow === 1) sinceMs = beganMs;
  }
  return sinceMs;
}

/** @returns '' when the connection was closed without any. */
function firstBytes(port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('data', (bytes) => {
    resolve(bytes.toString('latin1'));
    socket.destroy();
  });
  // A broken connection ends with `close` too.
  socket.on('error', () => {});
  socket.on('close', () => resolve(''));
  return promise;
}
