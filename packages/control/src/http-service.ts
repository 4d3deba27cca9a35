import { isGatewayError } from '@apisix-ts/errors';
import { createHttpServer } from '@apisix-ts/http-server';
import type { HttpSocketOptions } from '@apisix-ts/http-server';
import type { FastifyInstance } from 'fastify';

/** A server that listens until it is closed. */
export interface HttpService {
  /** What it really listens on; the port differs from the one asked for when that was 0. */
  readonly port: number;
  /** Its socket, for a process that takes it over. Until it is closed. */
  readonly descriptor: number;
  /** Idempotent. Answers what has been asked, for a moment, then ends open connections. */
  close(): Promise<void>;
  /** Closes for clients that can ask another process. */
  drain(): Promise<void>;
}

export interface HttpServiceOptions extends HttpSocketOptions {
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
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('server', options.serverToken);
      const isJson = String(reply.getHeader('content-type')).startsWith('application/json');
      return isJson && typeof payload === 'string' ? `${payload}\n` : payload;
    });
    app.setErrorHandler<Error & { readonly statusCode?: number }>((error, _request, reply) => {
      const status = isGatewayError(error) ? error.facts.status : (error.statusCode ?? 500);
      reply.code(status).send({ error_msg: error.message });
    });
    app.setNotFoundHandler((_request, reply) => {
      reply.code(404).send({ error_msg: 'not found' });
    });
    addRoutes(app);
  });
  const { port, descriptor } = await server.listen();
  return { port, descriptor, close: () => server.close(), drain: () => server.drain() };
}
