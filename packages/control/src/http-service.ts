import { listenError } from '@apisix-ts/errors';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';

/** A server that listens until it is closed. */
export interface HttpService {
  /** What it really listens on; the port differs from the one asked for when that was 0. */
  readonly port: number;
  /** Idempotent. Ends open connections. */
  close(): Promise<void>;
}

export interface HttpServiceOptions {
  /** Who listens, for messages: `apisix.control`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The `Server` header. */
  readonly serverToken: string;
}

/** Opens a small HTTP server whose answers are JSON unless a route says otherwise. Rejects with `LISTENER_*`. */
export async function openHttpService(
  { name, host, port, serverToken }: HttpServiceOptions,
  addRoutes: (app: FastifyInstance) => void,
): Promise<HttpService> {
  const app = fastify({
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    connectionTimeout: 60_000,
    requestTimeout: 10_000,
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('server', serverToken);
  });
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).send({ error_msg: 'not found' });
  });
  addRoutes(app);
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenError(name, host, port, error);
  }
  const address = app.server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : port,
    close: () => app.close(),
  };
}
