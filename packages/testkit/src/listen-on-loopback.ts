import type { Server } from 'node:net';

/** Listens on a port that the system chooses. @returns the port. */
export function listenOnLoopback(server: Server, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new TypeError('not a TCP server'));
      else resolve(address.port);
    });
  });
}
