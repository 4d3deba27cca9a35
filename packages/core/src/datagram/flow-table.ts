import type { ErrorCode } from '@apisix-ts/errors';
import type { TimerWheel } from '../pipe/timer-wheel.ts';
import type { DatagramPort, DatagramPortHandler } from './datagram-port.ts';
import { Flow } from './flow.ts';
import type { FlowHandler } from './flow.ts';

export interface FlowTableOptions {
  /** Serves the time-outs of all flows of a thread. */
  readonly wheel: TimerWheel;
  /** Flows at a time, at least 1. A further client takes the place of the flow that has been idle longest. */
  readonly limit: number;
}

/**
 * The flows of all ports of a thread: finds the one of a client, keeps their number bounded, and knows which one has been
 * idle longest. Nothing that it does grows with the number of flows, apart from `drain` and `close`; a datagram costs a
 * look-up and a few stores.
 */
export class FlowTable {
  /** @internal */
  readonly wheel: TimerWheel;
  readonly #limit: number;
  #oldest: Flow | undefined;
  #newest: Flow | undefined;
  #size = 0;
  /** @internal How long a flow may be idle at most: no limit, until the table drains. */
  drainIdleMs: number = Number.POSITIVE_INFINITY;

  constructor({ wheel, limit }: FlowTableOptions) {
    this.wheel = wheel;
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Takes the datagrams of a port.
   * @param open serves a client that was not known. @param takesNew false: its datagrams are dropped.
   */
  attach(port: DatagramPort, open: (flow: Flow) => FlowHandler, takesNew: () => boolean = () => true): void {
    port.handler = new PortFlows(this, port, open, takesNew);
  }

  /** Ends the flow that has been idle longest, other than `except`. @returns whether there was one. */
  evict(except?: Flow): boolean {
    const flow = this.#oldest === except ? except?.newer : this.#oldest;
    flow?.close('SESSION_EVICTED');
    return flow !== undefined;
  }

  /** New clients are not served from now on, and a session ends when it has been idle for `idleMs`. */
  drain(idleMs: number): void {
    this.drainIdleMs = idleMs;
    for (const flow of this.#all()) flow.limitIdle(idleMs);
  }

  /** Ends every flow. Its ports may go on. */
  close(code: ErrorCode): void {
    for (const flow of this.#all()) flow.close(code);
  }

  /** @internal @returns undefined while draining. */
  begin(
    port: DatagramPort,
    address: string,
    clientPort: number,
    open: (flow: Flow) => FlowHandler,
    forget: () => void,
  ): Flow | undefined {
    if (this.drainIdleMs !== Number.POSITIVE_INFINITY) return undefined;
    if (this.#size >= this.#limit) this.evict();
    const flow = new Flow(this, port, address, clientPort, open, forget);
    this.#append(flow);
    this.#size += 1;
    return flow;
  }

  /** @internal A datagram passed. */
  touch(flow: Flow): void {
    if (flow === this.#newest) return;
    this.#unlink(flow);
    this.#append(flow);
  }

  /** @internal */
  remove(flow: Flow): void {
    this.#unlink(flow);
    this.#size -= 1;
    this.wheel.remove(flow);
  }

  #all(): readonly Flow[] {
    const flows: Flow[] = [];
    for (let flow = this.#oldest; flow !== undefined; flow = flow.newer) flows.push(flow);
    return flows;
  }

  #append(flow: Flow): void {
    flow.older = this.#newest;
    flow.newer = undefined;
    if (this.#newest === undefined) this.#oldest = flow;
    else this.#newest.newer = flow;
    this.#newest = flow;
  }

  #unlink({ older, newer }: Flow): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}

/** The flows of one port, by client. */
class PortFlows implements DatagramPortHandler {
  readonly #table: FlowTable;
  readonly #port: DatagramPort;
  readonly #open: (flow: Flow) => FlowHandler;
  readonly #takesNew: () => boolean;
  readonly #flows = new Map<string, Flow>();

  constructor(
    table: FlowTable,
    port: DatagramPort,
    open: (flow: Flow) => FlowHandler,
    takesNew: () => boolean,
  ) {
    this.#table = table;
    this.#port = port;
    this.#open = open;
    this.#takesNew = takesNew;
  }

  onDatagram(view: Uint8Array, address: string, port: number): void {
    const key = `${port} ${address}`;
    const flow = this.#flows.get(key) ?? this.#begin(key, address, port);
    flow?.receive(view);
  }

  onClosed(errno: string | undefined): void {
    const code = errno === undefined ? 'SESSION_CLOSED_BY_SHUTDOWN' : 'DOWNSTREAM_LOST';
    for (const flow of this.#flows.values()) flow.close(code, errno);
  }

  #begin(key: string, address: string, port: number): Flow | undefined {
    if (!this.#takesNew()) return undefined;
    const flow = this.#table.begin(this.#port, address, port, this.#open, () => this.#flows.delete(key));
    if (flow !== undefined) this.#flows.set(key, flow);
    return flow;
  }
}
