import { once } from 'node:events';
import { createServer } from 'node:net';

/** A TCP port of 127.0.0.1 that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  const port = await tryPort('127.0.0.1', 0);
  if (port === undefined) throw new Error('the system has no free port left');
  return port;
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
