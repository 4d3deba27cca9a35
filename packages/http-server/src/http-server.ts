import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { listenError } from '@apisix-ts/errors';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { createAnswerOrder } from './answer-order.ts';
import { answerBrokenRequest } from './broken-request.ts';
import type { BrokenRequest } from './broken-request.ts';
import { clientAddress } from './client-address.ts';
import { descriptorOf } from './descriptor.ts';
import { fillLimits } from './limits.ts';
import type { HttpLimits } from './limits.ts';
import { createNodeServer } from './node-server.ts';
import type { ServerTls } from './tls.ts';

/** What every server is told that its owner does not make up. */
export interface HttpSocketOptions extends HttpLimits {
  /** The descriptor of a socket of this port that listens already, from another process: it is taken over. */
  readonly inherited?: number | undefined;
}

/** What it really listens on. */
export type HttpAddress = Pick<AddressInfo, 'address' | 'port'> & {
  /** The socket, for a process that takes it over. Until the server is closed. */
  readonly descriptor: number;
};

export interface HttpServerOptions extends HttpSocketOptions {
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
  listen(): Promise<HttpAddress>;
  /** Answers what has been asked and closes every connection within the grace time. Idempotent. */
  close(): Promise<void>;
  /**
   * Closes for clients that can ask elsewhere, where another process has the socket: every connection has the grace time for
   * one more request, the answer to which ends it, so that no request meets a connection that was just closed.
   */
  drain(): Promise<void>;
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
  const { name, host, port, inherited, serverToken, tls, onBroken } = options;
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
  let isDraining = false;
  app.addHook('onRequest', async (_request, reply) => {
    if (isDraining) reply.raw.setHeader('connection', 'close');
  });
  addRoutes(app);

  async function close(): Promise<void> {
    const timer = setTimeout(() => connections.destroyAll(), limits.closeGraceMs);
    await app.close();
    clearTimeout(timer);
  }

  return {
    async listen() {
      try {
        // Fastify hands what it does not know on to Node.
        const socket: object = inherited === undefined ? { port } : { fd: inherited };
        await app.listen({ host, ...socket });
      } catch (error) {
        throw listenError(name, host, port, error);
      }
      const address = app.server.address();
      const descriptor = descriptorOf(app.server);
      return address !== null && typeof address === 'object'
        ? { ...address, descriptor }
        : { address: host, port, descriptor };
    },
    close,
    async drain() {
      isDraining = true;
      // Node's own for HTTP closes idle connections at once, on which a request may be on its way.
      NetServer.prototype.close.call(app.server);
      await connections.settled(limits.closeGraceMs);
      await close();
    },
  };
}

interface Connections {
  destroyAll(): void;
  /** Settles when none is open, or after this long. Milliseconds. */
  settled(limitMs: number): Promise<void>;
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
    async settled(limitMs) {
      const limit = AbortSignal.timeout(limitMs);
      const gone = Array.from(open, (socket) => once(socket, 'close', { signal: limit }));
      await Promise.allSettled(gone);
    },
  };
}
