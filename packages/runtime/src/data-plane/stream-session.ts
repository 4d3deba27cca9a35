import { relay } from '@apisix-ts/core';
import type {
  Attempt,
  RelayOptions,
  RelayResult,
  Session,
  StreamFacts,
  UpstreamNode,
  Wire,
} from '@apisix-ts/core';
import type { Dial, WireDriver } from '@apisix-ts/transport';
import type { ListenerSpec } from '../workers/worker-link.ts';
import type { FailureLog } from './failure-log.ts';
import type { CompiledRoute, RoutingTable } from './routing-table.ts';
import { sessionReasons } from './session-reason.ts';
import type { SessionReason } from './session-reason.ts';
import type { WorkerCounters } from '../shared-counters.ts';
import type { Upstream, WorkerNode } from './upstream.ts';

/** What the sessions of a worker share. */
export interface SessionContext {
  readonly driver: WireDriver;
  readonly table: RoutingTable;
  readonly counters: WorkerCounters;
  readonly failures: FailureLog;
  readonly relay: Pick<RelayOptions, 'wheel' | 'halfClose'>;
  readonly nowMs: () => number;
  readonly onOpened: (session: StreamSession) => void;
  readonly onEnded: (session: StreamSession) => void;
}

const NONE_TRIED: ReadonlySet<UpstreamNode> = new Set();

/** One accepted connection on its way: match a route, pick a node, dial, relay, count. */
export class StreamSession implements StreamFacts, Attempt {
  readonly #context: SessionContext;
  readonly #listener: ListenerSpec;
  readonly #downstream: Wire;
  readonly #startedMs: number;
  #route: CompiledRoute | undefined;
  #upstream: Upstream | undefined;
  /** The node of the last attempt. */
  #node: WorkerNode | undefined;
  /** It is counted as busy with this session. */
  #holdsNode = false;
  #attemptedMs = 0;
  #tried: Set<UpstreamNode> | undefined;
  #attemptsLeft = 0;
  /** What it is busy with: neither before the first attempt. */
  #dialing: Dial | undefined;
  #relaying: Session | undefined;

  constructor(downstream: Wire, listener: ListenerSpec, context: SessionContext) {
    this.#downstream = downstream;
    this.#listener = listener;
    this.#context = context;
    this.#startedMs = context.nowMs();
  }

  get serverPort(): number {
    return this.#listener.port;
  }

  get serverAddress(): string {
    return this.#downstream.localAddress;
  }

  get remoteAddress(): string {
    return this.#downstream.remoteAddress;
  }

  /** Nothing looks into TLS. */
  get serverName(): undefined {
    return undefined;
  }

  get tried(): ReadonlySet<UpstreamNode> {
    return this.#tried ?? NONE_TRIED;
  }

  get remotePort(): number {
    return this.#downstream.remotePort;
  }

  /** What a hashing balancer hashes, the same at each attempt. */
  get key(): string {
    return this.#upstream?.hashKeyOf(this) ?? this.remoteAddress;
  }

  start(): void {
    const { table, counters, onOpened } = this.#context;
    counters.sessionOpened(this.#listener.slot);
    onOpened(this);
    this.#route = table.match(this);
    if (this.#route === undefined) {
      this.#refuse('ROUTE_NOT_FOUND');
      return;
    }
    this.#upstream = table.upstreamOf(this.#route);
    if (this.#upstream === undefined) {
      this.#refuse('UPSTREAM_NOT_CONFIGURED');
      return;
    }
    this.#attemptsLeft = this.#upstream.attempts;
    this.#attempt(this.#upstream, 'UPSTREAM_NO_NODE');
  }

  /** Ends the session now, whatever it is doing. */
  close(): void {
    if (this.#relaying !== undefined) {
      this.#relaying.close('SESSION_CLOSED_BY_SHUTDOWN');
      return;
    }
    this.#dialing?.cancel();
    this.#refuse('SESSION_CLOSED_BY_SHUTDOWN');
  }

  /** @param otherwise why the session ends when no node is left to try. */
  #attempt(upstream: Upstream, otherwise: SessionReason): void {
    const { driver, nowMs } = this.#context;
    const { retryTimeoutMs, connectTimeoutMs } = upstream.facts;
    const isTooLate = retryTimeoutMs > 0 && nowMs() - this.#startedMs >= retryTimeoutMs;
    const mayTry = this.#attemptsLeft > 0 && !(isTooLate && this.#tried !== undefined);
    const node = mayTry ? upstream.pick(this) : undefined;
    if (node === undefined) {
      this.#refuse(otherwise);
      return;
    }
    this.#attemptsLeft -= 1;
    this.#node = node;
    this.#holdsNode = true;
    this.#attemptedMs = nowMs();
    node.load.begin();
    this.#dialing = driver.dial(
      { address: node.address, port: node.port, connectTimeoutMs },
      {
        onWire: (wire) => this.#relay(wire, upstream),
        onFailure: (error) => {
          const reason = reasonOf(error.code);
          node.load.failed(nowMs() - this.#attemptedMs);
          this.#letGo();
          this.#report(reason, String(error.detail['errno']));
          (this.#tried ??= new Set()).add(node);
          this.#attempt(upstream, reason);
        },
      },
    );
  }

  #relay(wire: Wire, upstream: Upstream): void {
    this.#dialing = undefined;
    this.#node?.load.connected(this.#context.nowMs() - this.#attemptedMs);
    const options = { ...this.#context.relay, idleTimeoutMs: upstream.facts.idleTimeoutMs };
    this.#relaying = relay(this.#downstream, wire, options, (result) => this.#onRelayed(result, wire));
  }

  #onRelayed({ code, errno }: RelayResult, wire: Wire): void {
    const reason = reasonOf(code);
    if (reason !== 'OK') this.#report(reason, errno);
    this.#end(reason, wire);
  }

  #letGo(): void {
    if (!this.#holdsNode) return;
    this.#holdsNode = false;
    this.#node?.load.end();
  }

  /** Closes the client's connection without a byte. */
  #refuse(reason: SessionReason): void {
    // Failed attempts have been reported one by one.
    if (this.#tried === undefined) this.#report(reason, undefined);
    this.#end(reason, undefined);
    this.#downstream.close();
  }

  #end(reason: SessionReason, wire: Wire | undefined): void {
    const { counters, onEnded } = this.#context;
    this.#letGo();
    onEnded(this);
    counters.sessionEnded(this.#listener.slot, reason, {
      downstreamRead: this.#downstream.bytesRead,
      downstreamWritten: this.#downstream.bytesWritten,
      upstreamRead: wire?.bytesRead ?? 0,
      upstreamWritten: wire?.bytesWritten ?? 0,
    });
  }

  #report(reason: SessionReason, errno: string | undefined): void {
    const node = this.#node;
    this.#context.failures.add({
      reason,
      errno,
      listener: this.#listener.name,
      route: this.#route?.id,
      node: node && `${node.host} (${node.address}:${node.port})`,
      client: this.remoteAddress,
    });
  }
}

const knownReasons: ReadonlySet<string> = new Set(sessionReasons);

/** A relay reports only codes that sessions end with; anything else is a defect. */
function reasonOf(code: string | undefined): SessionReason {
  if (code === undefined) return 'OK';
  if (!knownReasons.has(code)) throw new TypeError(`a session cannot end with ${code}`);
  return code as SessionReason; // just looked up
}
