import { createServer as createHttp } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import { fillLimits } from './limits.ts';
import type { HttpLimits } from './limits.ts';
import { tlsOptions } from './tls.ts';
import type { ServerTls } from './tls.ts';

/** The largest request head, in bytes. */
const maxHeadBytes = 16_384;

/** For who answers in another way than Fastify: Node's own server for HTTP, with the limits of the others. */
export function createLimitedServer(handler: RequestListener, limits: HttpLimits = {}): Server {
  return withLimits(createHttp(optionsOf(fillLimits(limits)), handler), fillLimits(limits));
}

/** Node's server, with every limit set that it knows. */
export function createNodeServer(
  handler: RequestListener,
  limits: Required<HttpLimits>,
  tls: ServerTls | undefined,
): Server | HttpsServer {
  const options = optionsOf(limits);
  const server =
    tls === undefined
      ? createHttp(options, handler)
      : createHttps({ ...options, ...tlsOptions(tls, limits.headersTimeoutMs) }, handler);
  return withLimits(server, limits);
}

function optionsOf({
  headersTimeoutMs,
  requestTimeoutMs,
  keepAliveTimeoutMs,
}: Required<HttpLimits>): ServerOptions {
  return {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs, 4000) / 4),
    maxHeaderSize: maxHeadBytes,
  };
}

function withLimits<S extends Server | HttpsServer>(server: S, limits: Required<HttpLimits>): S {
  server.setTimeout(limits.socketTimeoutMs);
  server.maxConnections = limits.maxConnections;
  return server;
}
