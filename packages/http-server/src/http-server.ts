import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { listenError } from '@apisix-ts/errors';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { createAnswerOrder } from './answer-order.ts';
import { answerBrokenRequest } from './broken-request.ts';
import type { BrokenRequest } from './broken-request.ts';
import { clientAddress } from './client-address.ts';
import { fillLimits } from './limits.ts';
import type { HttpLimits } from './limits.ts';
import { createNodeServer } from './node-server.ts';
import type { ServerTls } from './tls.ts';

export interface HttpServerOptions extends HttpLimits {
  /** Who listens, for messages: `the Control API (apisix.control)`. */
  readonly name: string;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The `Server` header of answers to what is no request. */
  readonly serverToken: string;
  /** Default: plain HTTP. */
  readonly tls?: ServerTls | undefined;
  /** May a client of this address come? The others get at most `maxStrangers` connections. Default: everyone may. */
  readonly isWelcome?: (address: string) => boolean;
  /** Is told what was no request, or none in time, after it was answered. */
  readonly onBroken?: (request: BrokenRequest) => void;
  /** Is told of a connection that was closed because there are too many. */
  readonly onDropped?: () => void;
}

export interface HttpServer {
  /** Rejects with `LISTENER_PORT_IN_USE`, `LISTENER_DENIED`, `LISTENER_FAILED`. */
  listen(): Promise<Pick<AddressInfo, 'address' | 'port'>>;
  /** Answers what has been asked and closes every connection within the grace time. Idempotent. */
  close(): Promise<void>;
}

/**
 * An HTTP or HTTPS server that slow, idle and half-open clients cannot tie up.
 * @param rewriteUrl for Fastify's router. Default: as it was sent.
 */
export function createHttpServer(
  options: HttpServerOptions,
  addRoutes: (app: FastifyInstance) => void,
  rewriteUrl: (url: string) => string = (url) => url,
): HttpServer {
  const { name, host, port, serverToken, tls, onBroken } = options;
  const limits = fillLimits(options);
  const secured = new WeakSet<object>();
  const app = fastify<Server>({
    // To Fastify's types a server is one of the two kinds; it uses what both have.
    serverFactory: (handler) => createNodeServer(handler, limits, tls) as Server,
    rewriteUrl: ({ url = '/' }) => rewriteUrl(url),
    clientErrorHandler(error, socket) {
      // No answer can be read by a client with which there is no handshake.
      if (tls !== undefined && !secured.has(socket)) {
        socket.destroy();
        return;
      }
      afterAnswers(socket, () => {
        const answered = answerBrokenRequest(error.code, socket, serverToken);
        if (answered !== undefined) onBroken?.({ ...answered, socket });
      });
    },
  });
  const afterAnswers = createAnswerOrder(app.server);
  if (tls !== undefined) app.server.on('secureConnection', (socket: Socket) => secured.add(socket));
  const connections = watchConnections(app.server, options, limits.maxStrangers);
  addRoutes(app);

  return {
    async listen() {
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw listenError(name, host, port, error);
      }
      const address = app.server.address();
      return address !== null && typeof address === 'object' ? address : { address: host, port };
    },
    async close() {
      const timer = setTimeout(() => connections.destroyAll(), limits.closeGraceMs);
      await app.close();
      clearTimeout(timer);
    },
  };
}

interface Connections {
  destroyAll(): void;
}

/** Strangers are told that they may not come, so they need connections; they must not get all there are. */
function watchConnections(
  server: Server,
  { isWelcome = () => true, onDropped = () => {} }: HttpServerOptions,
  maxStrangers: number,
): Connections {
  const open = new Set<Socket>();
  let strangers = 0;
  server.on('drop', onDropped);
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (isWelcome(clientAddress(socket))) return;
    strangers += 1;
    socket.once('close', () => (strangers -= 1));
    if (strangers <= maxStrangers) return;
    socket.destroy();
    onDropped();
  });
  return {
    // Node's own `closeAllConnections` does not know those that are still in their TLS handshake.
    destroyAll() {
      for (const socket of open) socket.destroy();
    },
  };
}
