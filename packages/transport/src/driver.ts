import type { Wire } from '@apisix-ts/core';
import type { GatewayError } from '@apisix-ts/errors';

export interface ListenOptions {
  /** An ip literal; `0.0.0.0` and `::` are every address. */
  readonly host: string;
  /** 0 lets the system choose; `Listener.port` has the answer. */
  readonly port: number;
  /** Connections that may wait to be accepted. Default 511, and the system has its own bound. */
  readonly backlog?: number;
  /** Share the port with other listeners that say so too (SO_REUSEPORT): one a thread. Linux. Default false. */
  readonly reusePort?: boolean;
  /** An IPv6 listener that leaves IPv4 on the same port to others. Default false. */
  readonly ipv6Only?: boolean;
  /**
   * The descriptor of a socket of this port that listens already, from another process. The listener takes it over, with the
   * connections that wait there; of the other options only `backlog` has an effect.
   */
  readonly inherited?: number | undefined;
}

export interface ListenHandler {
  /** A client connected. The wire is paused and belongs to the handler. */
  onWire(wire: Wire): void;
  /** Accepting failed (`LISTENER_FAILED`); the listener lives on. */
  onAcceptError(error: GatewayError): void;
}

export interface Listener {
  readonly host: string;
  /** The actual port. */
  readonly port: number;
  /** Stops listening; the descriptor is released when this returns. Accepted connections stay. Idempotent. */
  close(): void;
}

/** A listener for connections. */
export interface WireListener extends Listener {
  /** Its socket, for a process that takes it over. Until it is closed. */
  readonly descriptor: number;
  /**
   * Whether connections are handed over as `SocketWire`, which TLS needs, from the next one on: the listener stays open, since
   * closing it would reset what waits to be accepted. Not at first; those of a socket driver always are.
   */
  useSockets(wanted: boolean): void;
  /**
   * Accepts who has come already, then closes; settles when it is closed, which is at most 5 s later. Not for a socket
   * that another process goes on with: it would keep one client waiting at a time.
   */
  retire(): Promise<void>;
}

export interface DialOptions {
  /** An ip literal, or `unix:/path`. */
  readonly address: string;
  /** A unix socket has none: it is not looked at. */
  readonly port: number;
  /** Give up after this long, milliseconds, > 0; found out up to two ticks of the wheel later. */
  readonly connectTimeoutMs: number;
  /** An ip literal of this machine to connect from. Default: the system chooses. */
  readonly localAddress?: string;
}

/** Exactly one of the two is called, once, never from inside `dial`; none after `cancel`. */
export interface DialHandler {
  /** Connected. The wire is paused and belongs to the handler. */
  onWire(wire: Wire): void;
  /**
   * `UPSTREAM_CONNECT_REFUSED`, `UPSTREAM_CONNECT_TIMEOUT` or `UPSTREAM_CONNECT_FAILED`; or, in which the node has no part,
   * `GATEWAY_EXHAUSTED`, and `UPSTREAM_SOURCE_UNAVAILABLE` where `localAddress` is the reason; with `errno` in the detail.
   */
  onFailure(error: GatewayError): void;
}

export interface Dial {
  /** Gives up; the descriptor is released when this returns. No effect after an outcome was told. Idempotent. */
  cancel(): void;
}

/** One way of making wires. Both ways keep the same promises: `testWires` and `testRelay` of `@apisix-ts/core/contract`. */
export interface WireDriver {
  readonly name: 'handle' | 'socket';
  /** Rejects with `LISTENER_PORT_IN_USE`, `LISTENER_DENIED` or `LISTENER_FAILED`. */
  listen(options: ListenOptions, handler: ListenHandler): Promise<WireListener>;
  dial(options: DialOptions, handler: DialHandler): Dial;
}
