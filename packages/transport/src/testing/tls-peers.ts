import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { SecureVersion } from 'node:tls';
import { Peer } from '@apisix-ts/testkit';
import type { TestCertificate } from '@apisix-ts/testkit';

/** A client's end of a TLS connection, for the contract suites. */
export async function connectTlsPeer(
  port: number,
  servername: string,
  maxVersion: SecureVersion,
): Promise<Peer> {
  const carrier = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const socket = connect({ socket: carrier, servername, maxVersion, rejectUnauthorized: false });
  carrier.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return new Peer(socket, carrier);
}

export interface TlsPeerServer {
  readonly port: number;
  /** The next connection that nobody took yet, after its handshake. */
  accept(): Promise<Peer>;
  /** Stops listening and resets what is still open. */
  close(): void;
}

/** A server whose ends of TLS connections are peers, for the contract suites. */
export async function openTlsPeerServer(
  pair: TestCertificate,
  maxVersion: SecureVersion,
): Promise<TlsPeerServer> {
  const carriers = new Map<number | undefined, Socket>();
  const accepted: Peer[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  const secureServer = createServer({ ...pair, maxVersion });
  secureServer.on('secureConnection', (socket) => {
    const peer = new Peer(socket, carriers.get(socket.remotePort));
    const take = waiting.shift();
    if (take === undefined) accepted.push(peer);
    else take(peer);
  });
  const server = createTcpServer({ allowHalfOpen: true, noDelay: true }, (carrier) => {
    const port = carrier.remotePort;
    carriers.set(port, carrier);
    carrier.on('error', () => {});
    carrier.on('close', () => carriers.delete(port));
    secureServer.emit('connection', carrier);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return {
    port: address.port,
    accept: () =>
      new Promise((resolve) => {
        const peer = accepted.shift();
        if (peer === undefined) waiting.push(resolve);
        else resolve(peer);
      }),
    close() {
      for (const carrier of carriers.values()) carrier.resetAndDestroy();
      server.close();
    },
  };
}
