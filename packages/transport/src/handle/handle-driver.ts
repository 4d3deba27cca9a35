import { getSystemErrorName } from 'node:util';
import { WheelEntry, unixPath } from '@apisix-ts/core';
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
import { createSocketDriver } from '../socket/socket-driver.ts';
import { SocketWire } from '../socket/socket-wire.ts';
import { HandleShare, HandleWire } from './handle-wire.ts';
import { loadNativeTcp, socketOf } from './native-tcp.ts';
import type { ConnectRequest, NativeAddress, NativeTcp, TcpHandle } from './native-tcp.ts';

/** @returns undefined where this Node has no handles of the known kind. `selfTest` tells whether they work. */
export function createHandleDriver(wheel: TimerWheel): WireDriver | undefined {
  const native = loadNativeTcp();
  if (native === undefined) return undefined;
  const share = new HandleShare(native);
  // A pipe is another kind of handle: such dials are few enough for sockets, and relays take either wire.
  const sockets = createSocketDriver(wheel);
  return {
    name: 'handle',
    // Async, so that a failure rejects and is never thrown.
    async listen(options, handler) {
      return openListener(share, options, handler);
    },
    dial(options, handler) {
      return unixPath(options.address) === undefined
        ? new HandleDial(share, wheel, options, handler)
        : sockets.dial(options, handler);
    },
  };
}

function openListener(share: HandleShare, options: ListenOptions, handler: ListenHandler): WireListener {
  const { native } = share;
  const server = new native.TCP(native.serverKind);
  const status = bindAndListen(native, server, options);
  if (status !== 0) {
    server.close();
    throw listenError('the stream proxy', options.host, options.port, getSystemErrorName(status));
  }
  const { host } = options;
  const port = options.port === 0 ? portOf(server) : options.port;
  let wantsSockets = false;
  let accepted = 0;
  server.onconnection = (acceptStatus, client) => {
    if (client === undefined) {
      handler.onAcceptError(acceptError(host, port, getSystemErrorName(acceptStatus)));
    } else {
      accepted += 1;
      handler.onWire(wantsSockets ? new SocketWire(socketOf(client)) : new HandleWire(client, share, port));
    }
  };
  let isOpen = true;
  const close = (): void => {
    if (isOpen) server.close();
    isOpen = false;
  };
  return {
    host,
    port,
    get descriptor() {
      return server.fd;
    },
    useSockets(wanted) {
      wantsSockets = wanted;
    },
    async retire() {
      if (!isOpen) return;
      // From now on the system keeps one waiting, and has the others try again, by when the port is closed.
      server.listen(0);
      await acceptRest(() => (isOpen ? accepted : undefined));
      close();
    },
    close,
  };
}

function bindAndListen(native: NativeTcp, server: TcpHandle, options: ListenOptions): number {
  const { host, port, backlog = 511, reusePort = false, ipv6Only = false, inherited } = options;
  if (inherited !== undefined) {
    const opened = server.open(inherited);
    return opened === 0 ? server.listen(backlog) : opened;
  }
  const flags = (reusePort ? native.reusePortFlag : 0) | (ipv6Only ? native.ipv6OnlyFlag : 0);
  const status = host.includes(':') ? server.bind6(host, port, flags) : server.bind(host, port, flags);
  // A port in use is told by `listen`.
  return status === 0 ? server.listen(backlog) : status;
}

function portOf(server: TcpHandle): number {
  const name: NativeAddress = {};
  server.getsockname(name);
  return name.port ?? 0;
}

/** One attempt to connect, and its own deadline. */
class HandleDial extends WheelEntry implements Dial {
  readonly #share: HandleShare;
  readonly #wheel: TimerWheel;
  readonly #options: DialOptions;
  readonly #handler: DialHandler;
  readonly #handle: TcpHandle;
  #isOver = false;

  constructor(share: HandleShare, wheel: TimerWheel, options: DialOptions, handler: DialHandler) {
    super();
    this.#share = share;
    this.#wheel = wheel;
    this.#options = options;
    this.#handler = handler;
    const { native } = share;
    this.#handle = new native.TCP(native.socketKind);
    const status = this.#connect(native);
    if (status === 0) wheel.add(this, options.connectTimeoutMs);
    else process.nextTick(() => this.#connected(status));
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#handle.close();
  }

  override onDue(): number {
    this.cancel();
    this.#handler.onFailure(dialTimeout(this.#options));
    return 0;
  }

  #connect(native: NativeTcp): number {
    const { address, port, localAddress } = this.#options;
    const handle = this.#handle;
    if (localAddress !== undefined) {
      const status = localAddress.includes(':')
        ? handle.bind6(localAddress, 0)
        : handle.bind(localAddress, 0);
      if (status !== 0) return status;
    }
    const request: ConnectRequest = new native.TCPConnectWrap();
    request.oncomplete = (status) => this.#connected(status);
    return address.includes(':')
      ? handle.connect6(request, address, port)
      : handle.connect(request, address, port);
  }

  #connected(status: number): void {
    if (this.#isOver) return;
    this.#finish();
    if (status === 0) {
      this.#handler.onWire(new HandleWire(this.#handle, this.#share, 0));
      return;
    }
    this.#handle.close();
    this.#handler.onFailure(dialError(this.#options, getSystemErrorName(status)));
  }

  #finish(): void {
    this.#isOver = true;
    this.#wheel.remove(this);
  }
}
