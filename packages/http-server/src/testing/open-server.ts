import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { createHttpServer } from '../http-server.ts';
import type { HttpServer, HttpServerOptions } from '../http-server.ts';
import { clientCertificateFault } from '../tls.ts';

export interface TestServer extends HttpServer {
  readonly port: number;
  /** Opens a TCP connection and sends the bytes. */
  readonly dial: (bytes?: string) => Promise<Socket>;
}

/** A server that answers `GET /` with what is wrong with the client's certificate, and takes `PUT /`. */
export async function openServer(
  options: Partial<HttpServerOptions> = {},
  addRoutes: (app: FastifyInstance) => void = () => {},
): Promise<TestServer> {
  const server = createHttpServer(
    { name: 'the test', host: '127.0.0.1', port: 0, serverToken: 'test', ...options },
    (app) => {
      app.get('/', async ({ raw }) => ({ fault: clientCertificateFault(raw) ?? null }));
      app.put('/', async () => ({}));
      addRoutes(app);
    },
  );
  onTestFinished(() => server.close());
  const { port } = await server.listen();
  return {
    ...server,
    port,
    async dial(bytes = '') {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      socket.write(bytes);
      return socket;
    },
  };
}
