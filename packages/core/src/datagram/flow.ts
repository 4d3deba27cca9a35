import type { ErrorCode } from '@apisix-ts/errors';
import { WheelEntry } from '../pipe/timer-wheel.ts';
import type { DatagramLink, DatagramLinkHandler, DatagramPort, LinkFailure } from './datagram-port.ts';
import type { FlowTable } from './flow-table.ts';

/** Where the datagrams of a flow go. */
export interface FlowTarget {
  readonly link: DatagramLink;
  /** The session ends after this long without a datagram either way. Milliseconds, > 0; up to three ticks later. */
  readonly idleTimeoutMs: number;
}

/** How a session of a flow ended. */
export interface FlowResult {
  /**
   * Absent when it was idle, the one regular end there is. `UPSTREAM_CONNECT_REFUSED`, `UPSTREAM_CONNECT_FAILED`: the node
   * cannot be reached; `GATEWAY_EXHAUSTED`: we lack what a socket needs; `SESSION_EVICTED`: it made room for another one; `DOWNSTREAM_LOST`: its port is gone; or the code
   * that it was closed with.
   */
  readonly code: ErrorCode | undefined;
  /** The system's name for it, where there is one. */
  readonly errno: string | undefined;
}

const failureCodes: Readonly<Record<LinkFailure['kind'], ErrorCode>> = {
  refused: 'UPSTREAM_CONNECT_REFUSED',
  failed: 'UPSTREAM_CONNECT_FAILED',
  exhausted: 'GATEWAY_EXHAUSTED',
};

/** Serves the sessions of a flow. */
export interface FlowHandler {
  /**
   * A session begins: with the first datagram of the flow, or the first one after a session that failed.
   * @returns undefined when there is nowhere to go: the datagram is lost and the flow forgotten.
   */
  connect(flow: Flow): FlowTarget | undefined;
  /** A session that `connect` gave a target is over, and its link closed. The flow still has its byte counts. */
  onEnded(flow: Flow, result: FlowResult): void;
}

/**
 * The datagrams between one client, by address and port, and one port of ours. It carries one session at a time, which
 * lives until it is idle. After a session that failed the flow waits for as long, so that its handler knows what has
 * been tried when the client's next datagram comes.
 */
export class Flow extends WheelEntry implements DatagramLinkHandler {
  readonly port: DatagramPort;
  readonly clientAddress: string;
  readonly clientPort: number;
  /** @internal Links of the table's order. */
  older: Flow | undefined;
  /** @internal */
  newer: Flow | undefined;
  readonly #table: FlowTable;
  readonly #forget: () => void;
  readonly #handler: FlowHandler;
  #link: DatagramLink | undefined;
  #idleTimeoutMs = 0;
  /** When the last datagram passed: the wheel's coarse time. */
  #activeMs = 0;
  #bytesFromClient = 0;
  #bytesToClient = 0;
  #bytesFromNode = 0;
  #bytesToNode = 0;

  /** @internal Made by a table. @param forget takes it out of its port's flows. */
  constructor(
    table: FlowTable,
    port: DatagramPort,
    clientAddress: string,
    clientPort: number,
    open: (flow: Flow) => FlowHandler,
    forget: () => void,
  ) {
    super();
    this.#table = table;
    this.port = port;
    this.clientAddress = clientAddress;
    this.clientPort = clientPort;
    this.#forget = forget;
    this.#handler = open(this);
  }

  /** Bytes of the session so far; those that found no way to a node included. */
  get bytesFromClient(): number {
    return this.#bytesFromClient;
  }

  get bytesToClient(): number {
    return this.#bytesToClient;
  }

  get bytesFromNode(): number {
    return this.#bytesFromNode;
  }

  get bytesToNode(): number {
    return this.#bytesToNode;
  }

  /** How long no datagram has passed, milliseconds, to a tick of the wheel. */
  get idleMs(): number {
    return this.#table.wheel.nowMs - this.#activeMs;
  }

  /** @internal A datagram of the client. */
  receive(view: Uint8Array): void {
    this.#bytesFromClient += view.length;
    this.#pass(view);
  }

  onDatagram(view: Uint8Array): void {
    this.#touch();
    this.#bytesFromNode += view.length;
    if (this.port.send(view, this.clientAddress, this.clientPort)) this.#bytesToClient += view.length;
  }

  onFailure({ kind, errno }: LinkFailure, unsent: Uint8Array | undefined): void {
    if (unsent !== undefined) {
      // It belongs to the next session.
      this.#bytesFromClient -= unsent.length;
      this.#bytesToNode -= unsent.length;
    }
    this.#end(failureCodes[kind], errno);
    if (unsent !== undefined) this.receive(unsent);
  }

  /** @internal Ends the session, if there is one, and the flow. */
  close(code: ErrorCode | undefined, errno?: string): void {
    this.#table.remove(this);
    this.#forget();
    if (this.#link !== undefined) this.#end(code, errno);
  }

  /** @internal From now on the flow may be idle for this long at most. */
  limitIdle(idleMs: number): void {
    this.#idleTimeoutMs = Math.min(this.#idleTimeoutMs, idleMs);
    this.#table.wheel.add(this, this.#idleTimeoutMs);
  }

  override onDue(nowMs: number): number {
    // One tick more: the time noted is up to one tick older than the datagram.
    const leftMs = this.#activeMs + this.#idleTimeoutMs + this.#table.wheel.tickMs - nowMs;
    if (leftMs > 0) return leftMs;
    this.close(undefined);
    return 0;
  }

  #pass(view: Uint8Array): void {
    const link = this.#link ?? this.#connect();
    if (link === undefined) {
      this.close(undefined);
      return;
    }
    this.#touch();
    if (link.send(view)) this.#bytesToNode += view.length;
  }

  #connect(): DatagramLink | undefined {
    const target = this.#handler.connect(this);
    if (target === undefined) return undefined;
    const { link, idleTimeoutMs } = target;
    this.#link = link;
    link.handler = this;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.limitIdle(this.#table.drainIdleMs);
    return link;
  }

  #touch(): void {
    this.#activeMs = this.#table.wheel.nowMs;
    this.#table.touch(this);
  }

  #end(code: ErrorCode | undefined, errno: string | undefined): void {
    this.#link?.close();
    this.#link = undefined;
    this.#handler.onEnded(this, { code, errno });
    this.#bytesFromClient = 0;
    this.#bytesToClient = 0;
    this.#bytesFromNode = 0;
    this.#bytesToNode = 0;
  }
}
