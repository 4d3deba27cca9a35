import { createHttpServer } from '@apisix-ts/http-server';
import type { HttpLimits } from '@apisix-ts/http-server';
import type { FastifyInstance } from 'fastify';

/** A server that listens until it is closed. */
export interface HttpService {
  /** What it really listens on; the port differs from the one asked for when that was 0. */
  readonly port: number;
  /** Idempotent. Answers what has been asked, for a moment, then ends open connections. */
  close(): Promise<void>;
}

export interface HttpServiceOptions extends HttpLimits {
  /** Who listens, for messages: `apisix.control`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The `Server` header. */
  readonly serverToken: string;
}

/** Opens a small HTTP server whose answers are JSON unless a route says otherwise. Rejects with `LISTENER_*`. */
export async function openHttpService(
  options: HttpServiceOptions,
  addRoutes: (app: FastifyInstance) => void,
): Promise<HttpService> {
  const server = createHttpServer(options, (app) => {
    app.addHook('onSend', async (_request, reply) => {
      reply.header('server', options.serverToken);
    });
    app.setNotFoundHandler((_request, reply) => {
      reply.code(404).send({ error_msg: 'not found' });
    });
    addRoutes(app);
  });
  const { port } = await server.listen();
  return { port, close: () => server.close() };
}
