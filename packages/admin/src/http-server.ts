import { METHODS } from 'node:http';
import type { ServerResponse } from 'node:http';
import { isGatewayError } from '@apisix-ts/errors';
import { clientAddress, clientCertificateFault, createHttpServer } from '@apisix-ts/http-server';
import type { BrokenRequest, HttpServer, HttpSocketOptions, ServerTls } from '@apisix-ts/http-server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createAllowList } from './allow-list.ts';
import { refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import { bodyToSend } from './answer-body.ts';
import { corsHeaders } from './cors.ts';
import { readHttpBody } from './http-body.ts';
import { createTurns } from './in-turn.ts';
import { bodyLimitBytes } from './json-body.ts';
import type { AdminRequest } from './request.ts';
import type { AdminRequestRecord } from './request-record.ts';
import { loggedTarget } from './request-target.ts';

export interface AdminHttpOptions extends HttpSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: ServerTls | undefined;
  readonly allowAdmin: readonly string[] | undefined;
  readonly cors: boolean;
  readonly serverToken: string;
  readonly onRequest?: ((record: AdminRequestRecord) => void) | undefined;
  readonly log: AdminLog;
}

/** Takes what is worth a line in the log. Facts are fields, the message is fixed. */
export type AdminLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

/** The HTTP side of the Admin API: Fastify carries requests to `dispatch`, which knows nothing of it. */
export function createAdminHttpServer(
  dispatch: (request: AdminRequest) => Promise<Answer>,
  options: AdminHttpOptions,
): HttpServer {
  const { cors, log, serverToken, tls, onRequest = () => {} } = options;
  const isAllowed = createAllowList(options.allowAdmin);
  const commonHeaders = { server: serverToken, ...(cors ? corsHeaders : {}) };
  const inTurn = createTurns();
  /** Answers that are on their way. */
  const leaving = new Set<Promise<void>>();
  /** Of connections that are being served: how the request was answered instead, if it was broken off. */
  const serving = new WeakMap<object, Pick<BrokenRequest, 'status' | 'bytes'> | undefined>();

  /** Ends when the answer has left: a client that does not read must not make answers pile up. */
  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const startedAt = performance.now();
    // It has its answer already: that it took too long.
    const { socket } = request.raw;
    if (!socket.writable) return;
    serving.set(socket, undefined);
    const sent = closing(reply.raw);
    const { adminRequest, user } = toAdminRequest(request);
    const { status, body, headers } = await respond(adminRequest, request);
    reply.code(status).headers({ 'content-type': 'application/json', ...commonHeaders, ...headers });
    const { payload, bytesMade } = bodyToSend(body);
    reply.send(payload);
    leaving.add(sent);
    await sent;
    leaving.delete(sent);
    const broken = serving.get(socket);
    serving.delete(socket);
    onRequest({
      method: adminRequest.method,
      target: loggedTarget(adminRequest.target),
      // 499 is nginx's number for an answer that nobody got.
      ...(reply.raw.writableFinished
        ? { status, bytes: bytesMade() }
        : (broken ?? { status: 499, bytes: bytesMade() })),
      durationMs: performance.now() - startedAt,
      remoteAddress: adminRequest.remoteAddress,
      user: user(),
    });
  }

  async function respond(adminRequest: AdminRequest, { raw }: FastifyRequest): Promise<Answer> {
    const { remoteAddress, method, target } = adminRequest;
    const fault = tls?.clientCa === undefined ? undefined : clientCertificateFault(raw);
    if (fault !== undefined) return refuse(400, fault);
    if (!isAllowed(remoteAddress)) {
      log('warn', 'Admin API: address refused', { remoteAddress });
      return refuse(403, 'this address may not use the Admin API');
    }
    try {
      return await dispatch(adminRequest);
    } catch (error) {
      // The client went away while it was sending: there is no one to answer.
      if (raw.destroyed && !raw.complete) return refuse(400, 'the request is incomplete');
      // Without the query, which may hold a key.
      log('error', 'Admin API: request failed', { method, path: target.split('?', 1)[0], error });
      return isGatewayError(error)
        ? refuse(error.facts.status, error.message)
        : refuse(500, 'internal error');
    }
  }

  function onBroken({ socket, status, bytes }: BrokenRequest): void {
    // Its own line will tell.
    if (serving.has(socket)) serving.set(socket, { status, bytes });
    else {
      onRequest({
        method: undefined,
        target: undefined,
        status,
        bytes,
        durationMs: 0,
        remoteAddress: clientAddress(socket),
        user: undefined,
      });
    }
  }

  const server = createHttpServer(
    {
      ...options,
      name: 'the Admin API (deployment.admin)',
      isWelcome: isAllowed,
      onBroken,
      onDropped: onceAMinute(() => log('warn', 'Admin API: too many connections, new ones are closed', {})),
    },
    (app) => {
      // Bodies are read in the handler, likewise in their turn: to Fastify no method has one.
      for (const method of requestMethods)
        app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
      app.route({
        method: [...requestMethods],
        url: '/',
        exposeHeadRoute: false,
        async handler(request, reply) {
          await inTurn(request.raw.socket, () => serve(request, reply));
          return reply;
        },
      });
    },
    // Which endpoint is meant is found after the client has proved who it is, so there is one route for all.
    () => '/',
  );
  /** Connections end a moment before their last request is told of. */
  const settled = async (): Promise<void> => {
    while (leaving.size > 0) await Promise.all(leaving);
  };
  return {
    listen: () => server.listen(),
    close: () => server.close().then(settled),
    drain: () => server.drain().then(settled),
  };
}

/** Resolves when the response has been handed to the system, or its connection is gone. */
async function closing(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { socket } = response.req;
  response.once('close', resolve);
  // A response that waits for its turn does not notice that.
  socket.once('close', resolve);
  await promise;
  socket.off('close', resolve);
}

/** Lets the first of many calls through, and the next one after a minute. */
function onceAMinute(report: () => void): () => void {
  let quietUntil = -Infinity;
  return () => {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + 60_000;
    report();
  };
}

/** CONNECT never arrives as a request. */
const requestMethods: readonly string[] = METHODS.filter((method) => method !== 'CONNECT');

function toAdminRequest(request: FastifyRequest): {
  readonly adminRequest: AdminRequest;
  readonly user: () => string | undefined;
} {
  const { raw, headers } = request;
  let name: string | undefined;
  const adminRequest: AdminRequest = {
    method: request.method,
    target: request.originalUrl,
    remoteAddress: clientAddress(raw.socket),
    header(header) {
      const value = headers[header];
      return Array.isArray(value) ? value[0] : value;
    },
    readBody: () => readHttpBody(raw, bodyLimitBytes),
    identified(user) {
      name = user;
    },
  };
  return { adminRequest, user: () => name };
}
