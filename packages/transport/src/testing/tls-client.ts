import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { openServer } from '@apisix-ts/testkit';
import { onTestFinished } from 'vitest';

/** A client's connection after its handshake, whatever the certificate. It ends with the test. */
export async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** The error of a client that is refused, during its handshake or, as TLS 1.3 has it for client certificates, after. */
export async function refusal(port: number, options: ConnectionOptions): Promise<string> {
  try {
    const socket = await handshake(port, options);
    socket.resume();
    await once(socket, 'end');
    return 'end';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** What Node's own client sends first. */
export async function captureHello(options: ConnectionOptions): Promise<Buffer> {
  const server = await openServer();
  const client = connect({ port: server.port, host: '127.0.0.1', ...options });
  client.on('error', () => {});
  const peer = await server.accept();
  const header = await peer.take(5);
  const message = await peer.take(header.readUInt16BE(3));
  client.destroy();
  await server.close();
  return Buffer.concat([header, message]);
}
