import { createServer as createHttp } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { HttpLimits } from './limits.ts';
import { tlsOptions } from './tls.ts';
import type { ServerTls } from './tls.ts';

/** The largest request head, in bytes. */
const maxHeadBytes = 16_384;

/** Node's server, with every limit set that it knows. */
export function createNodeServer(
  handler: RequestListener,
  limits: Required<HttpLimits>,
  tls: ServerTls | undefined,
): Server | HttpsServer {
  const { headersTimeoutMs, requestTimeoutMs } = limits;
  const options = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs, 4000) / 4),
    maxHeaderSize: maxHeadBytes,
  };
  const server =
    tls === undefined
      ? createHttp(options, handler)
      : createHttps({ ...options, ...tlsOptions(tls, headersTimeoutMs) }, handler);
  server.setTimeout(limits.socketTimeoutMs);
  server.maxConnections = limits.maxConnections;
  return server;
}
