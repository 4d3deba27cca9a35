import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of 127.0.0.1 that nothing has at the moment, neither on TCP nor on UDP. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = await tryPort('127.0.0.1', 0);
    if (port !== undefined && (await isFreeOnUdp(port))) return port;
  }
  throw new Error('the system has no free port left');
}

/**
 * An address of the loopback range where `port` is free, so that a server has its usual port beside others on it.
 * When something holds that port on every address, another port of 127.0.0.1.
 */
export async function freeLoopbackAddress(
  port: number,
): Promise<{ readonly host: string; readonly port: number }> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const host = `127.${[0, 0, 0].map(() => 1 + Math.floor(Math.random() * 254)).join('.')}`;
    if ((await tryPort(host, port)) !== undefined) return { host, port };
  }
  return { host: '127.0.0.1', port: await freePort() };
}

async function tryPort(host: string, port: number): Promise<number | undefined> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    return undefined; // In use, or not an address of this machine: both mean another one.
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? address?.port : undefined;
}

async function isFreeOnUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    await once(socket.bind({ address: '0.0.0.0', port, exclusive: true }), 'listening');
    return true;
  } catch {
    return false; // In use, at some address.
  } finally {
    socket.close();
  }
}
