import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '@apisix-ts/testkit';

/**
 * An address of the loopback range where `port` is free, so that a server has its usual port beside others on it.
 * When something holds that port on every address, another port of 127.0.0.1.
 */
export async function freeLoopbackAddress(
  port: number,
): Promise<{ readonly host: string; readonly port: number }> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const host = `127.${[0, 0, 0].map(() => 1 + Math.floor(Math.random() * 254)).join('.')}`;
    if (await isFree(host, port)) return { host, port };
  }
  return { host: '127.0.0.1', port: await freePort() };
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    return false; // In use, or not an address of this machine: both mean another one.
  }
  server.close();
  await once(server, 'close');
  return true;
}
