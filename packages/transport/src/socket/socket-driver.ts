import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { WheelEntry } from '@apisix-ts/core';
import type { TimerWheel } from '@apisix-ts/core';
import { dialError, dialTimeout } from '../dial-error.ts';
import type {
  Dial,
  DialHandler,
  DialOptions,
  ListenHandler,
  ListenOptions,
  WireDriver,
  WireListener,
} from '../driver.ts';
import { listenError } from '@apisix-ts/errors';
import { acceptError } from '../accept-error.ts';
import { acceptRest } from '../accept-rest.ts';
import { descriptorOf, keepOneWaiting } from './server-handle.ts';
import { toTarget } from '../endpoint.ts';
import { SocketWire } from './socket-wire.ts';

export function createSocketDriver(wheel: TimerWheel): WireDriver {
  return {
    name: 'socket',
    listen: openListener,
    dial(options, handler) {
      return new SocketDial(wheel, options, handler);
    },
  };
}

async function openListener(options: ListenOptions, handler: ListenHandler): Promise<WireListener> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
  await listening(server, options);
  const { host } = options;
  const port = portOf(server) ?? options.port;
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted += 1;
    handler.onWire(new SocketWire(socket));
  });
  server.on('error', (error) => handler.onAcceptError(acceptError(host, port, errnoOf(error))));
  return {
    host,
    port,
    get descriptor() {
      return descriptorOf(server);
    },
    // They are sockets anyway.
    useSockets() {},
    async retire() {
      keepOneWaiting(server);
      await acceptRest(() => (server.listening ? accepted : undefined));
      server.close();
    },
    close() {
      server.close();
    },
  };
}

function listening(server: Server, options: ListenOptions): Promise<void> {
  const { host, port, backlog = 511, reusePort = false, ipv6Only = false, inherited } = options;
  const socket = { host, port, reusePort, ipv6Only };
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError('the stream proxy', host, port, error));
    server.once('error', failed);
    server.listen(
      { ...(inherited === undefined ? socket : { fd: inherited }), backlog, exclusive: true },
      () => {
        server.off('error', failed);
        resolve();
      },
    );
  });
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return address === null || typeof address === 'string' ? undefined : address.port;
}

class SocketDial extends WheelEntry implements Dial {
  readonly #wheel: TimerWheel;
  readonly #options: DialOptions;
  readonly #handler: DialHandler;
  readonly #socket: Socket;
  #isOver = false;

  constructor(wheel: TimerWheel, options: DialOptions, handler: DialHandler) {
    super();
    this.#wheel = wheel;
    this.#options = options;
    this.#handler = handler;
    const { address, port, localAddress } = options;
    const source = localAddress === undefined ? {} : { localAddress };
    this.#socket = connect({ ...toTarget(address, port), ...source, allowHalfOpen: true, noDelay: true });
    this.#socket.pause();
    this.#socket.once('connect', () => this.#connected());
    this.#socket.on('error', this.#failed);
    wheel.add(this, options.connectTimeoutMs);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#socket.destroy();
  }

  override onDue(): number {
    this.cancel();
    this.#handler.onFailure(dialTimeout(this.#options));
    return 0;
  }

  #connected(): void {
    if (this.#isOver) return;
    this.#finish();
    const wire = new SocketWire(this.#socket);
    this.#socket.off('error', this.#failed);
    this.#handler.onWire(wire);
  }

  readonly #failed = (error: Error): void => {
    if (this.#isOver) return;
    this.#finish();
    this.#handler.onFailure(dialError(this.#options, errnoOf(error)));
  };

  #finish(): void {
    this.#isOver = true;
    this.#wheel.remove(this);
  }
}

function errnoOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.name;
}
