import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * Listens on every address until the test ends.
 * @param serve takes each connection; left out, they are held.
 * @returns the port.
 */
export async function openListener(serve: (socket: Socket) => unknown = () => undefined): Promise<number> {
  const server = createServer(serve).listen(0, '0.0.0.0');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return portOf(server);
}

/** Does anyone accept connections there? */
export async function isServed(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // Refused, or reset because the listener just closed.
  } finally {
    socket.destroy();
  }
}

/** A connection that is open until the test ends. */
export async function openConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
  return address.port;
}
