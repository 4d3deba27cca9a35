import { METHODS } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isGatewayError, listenError } from '@apisix-ts/errors';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createAllowList } from './allow-list.ts';
import { refuse } from './answer.ts';
import type { Answer, AnswerBody } from './answer.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { corsHeaders } from './cors.ts';
import { readHttpBody } from './http-body.ts';
import { createTurns } from './in-turn.ts';
import { bodyLimitBytes } from './json-body.ts';
import type { AdminRequest } from './request.ts';

/** What keeps slow and idle clients from tying the server up. */
export interface HttpLimits {
  /** For a request's headers, from its first byte or the connection's start. Milliseconds; default 10 000. */
  readonly headersTimeoutMs?: number;
  /** For a whole request. Milliseconds; default 30 000. */
  readonly requestTimeoutMs?: number;
  /** Between two requests on one connection. Milliseconds; default 60 000. */
  readonly keepAliveTimeoutMs?: number;
  /** Without a byte either way, whatever is going on. Milliseconds; default 120 000. */
  readonly socketTimeoutMs?: number;
  /** Open at the same time; more are closed at once. Default 1024. */
  readonly maxConnections?: number;
  /** For requests in progress when the server closes. Milliseconds; default 2000. */
  readonly closeGraceMs?: number;
}

export interface HttpServerOptions extends HttpLimits {
  readonly host: string;
  readonly port: number;
  readonly allowAdmin: readonly string[] | undefined;
  readonly cors: boolean;
  readonly serverToken: string;
  readonly log: AdminLog;
}

/** Takes what is worth a line in the log. Facts are fields, the message is fixed. */
export type AdminLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

export interface HttpServer {
  /** Rejects with `LISTENER_PORT_IN_USE`, `LISTENER_DENIED`, `LISTENER_FAILED`. */
  listen(): Promise<Pick<AddressInfo, 'address' | 'port'>>;
  /** Answers what has been asked and closes every connection within the grace time. Idempotent. */
  close(): Promise<void>;
}

/** The HTTP side of the Admin API: Fastify carries requests to `dispatch`, which knows nothing of it. */
export function createHttpServer(
  dispatch: (request: AdminRequest) => Promise<Answer>,
  options: HttpServerOptions,
): HttpServer {
  const { cors, host, log, port, serverToken, closeGraceMs = 2000 } = options;
  const isAllowed = createAllowList(options.allowAdmin);
  const commonHeaders = { server: serverToken, ...(cors ? corsHeaders : {}) };
  const app = createApp(options);
  const inTurn = createTurns();

  app.route({
    method: [...requestMethods],
    url: '/',
    async handler(request, reply) {
      const { status, body, headers } = await inTurn(request.raw.socket, () => respond(request));
      reply.code(status).headers({ 'content-type': 'application/json', ...commonHeaders, ...headers });
      // Bytes, because Fastify adds a charset to the content type of text.
      return reply.send(toBytes(body));
    },
  });

  async function respond(request: FastifyRequest): Promise<Answer> {
    const adminRequest = toAdminRequest(request);
    const { remoteAddress, method, target } = adminRequest;
    if (!isAllowed(remoteAddress)) {
      log('warn', 'Admin API: address refused', { remoteAddress });
      return refuse(403, 'this address may not use the Admin API');
    }
    try {
      return await dispatch(adminRequest);
    } catch (error) {
      // The client went away while it was sending: there is no one to answer.
      if (request.raw.destroyed && !request.raw.complete) return refuse(400, 'the request is incomplete');
      // Without the query, which may hold a key.
      log('error', 'Admin API: request failed', { method, path: target.split('?', 1)[0], error });
      return isGatewayError(error)
        ? refuse(error.facts.status, error.message)
        : refuse(500, 'internal error');
    }
  }

  return {
    async listen() {
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw listenError('the Admin API (deployment.admin)', host, port, error);
      }
      const address = app.server.address();
      return address !== null && typeof address === 'object' ? address : { address: host, port };
    },
    async close() {
      const timer = setTimeout(() => app.server.closeAllConnections(), closeGraceMs);
      await app.close();
      clearTimeout(timer);
    },
  };
}

/** CONNECT never arrives as a request. */
const requestMethods: readonly string[] = METHODS.filter((method) => method !== 'CONNECT');

/** The largest request head, in bytes. */
const maxHeadBytes = 16_384;

function createApp({ serverToken, ...limits }: HttpServerOptions): FastifyInstance {
  const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = limits;
  const app = fastify({
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs ?? 60_000,
    connectionTimeout: limits.socketTimeoutMs ?? 120_000,
    http: {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs, 4000) / 4),
      maxHeaderSize: maxHeadBytes,
    },
    // Which endpoint is meant is found after the client has proved who it is, so there is one route for all.
    rewriteUrl: () => '/',
    exposeHeadRoutes: false,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error.code, socket, serverToken),
  });
  app.server.maxConnections = limits.maxConnections ?? 1024;
  // Bodies are read in the handler, likewise in their turn: to Fastify no method has one.
  for (const method of requestMethods) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  return app;
}

function toAdminRequest(request: FastifyRequest): AdminRequest {
  const { raw, headers } = request;
  return {
    method: request.method,
    target: request.originalUrl,
    remoteAddress: (raw.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, ''),
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    readBody: () => readHttpBody(raw, bodyLimitBytes),
  };
}

function toBytes(body: AnswerBody | undefined): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from('text' in body ? body.text : `${JSON.stringify(body.json)}\n`);
}
