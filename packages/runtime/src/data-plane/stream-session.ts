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
import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import { dialTls, formatEndpoint, ownShortage } from '@apisix-ts/transport';
import type { Dial, DialHandler, TlsDialOptions, UpstreamTls, WireDriver } from '@apisix-ts/transport';
import type { SessionRecord } from '../access-log/session-record.ts';
import type { ListenerSpec, NodeIdentity } from '../workers/worker-link.ts';
import { Arrival, mustArrive } from './arrival.ts';
import type { Gate } from './arrival.ts';
import type { FailureLog } from './failure-log.ts';
import type { CompiledRoute, RoutingTable } from './routing-table.ts';
import { writeProxyHeader } from './proxy-head.ts';
import { isFailure, reasonOf } from './session-reason.ts';
import type { SessionReason } from './session-reason.ts';
import { startTrace } from './session-trace.ts';
import type { SessionTrace } from './session-trace.ts';
import type { Admission } from '../shared-admissions.ts';
import type { WorkerCounters } from '../shared-counters.ts';
import type { ClosableSession } from './session-closer.ts';
import { describeNode, isUnhealthyNode } from './upstream.ts';
import type { Upstream, WorkerNode } from './upstream.ts';
import type { Waiting, WaitingRoom } from './waiting-room.ts';

/** What the sessions of a worker share. */
export interface SessionContext {
  readonly driver: WireDriver;
  readonly table: RoutingTable;
  readonly counters: WorkerCounters;
  readonly failures: FailureLog;
  /** Where sessions wait for a node. */
  readonly room: WaitingRoom;
  readonly relay: Pick<RelayOptions, 'wheel' | 'halfClose'>;
  readonly onNodeFailure: (upstreamKey: string, node: NodeIdentity) => void;
  /** Takes every session that has ended; undefined when nobody wants to know. */
  readonly accessLog: ((record: SessionRecord) => void) | undefined;
  readonly nowMs: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly onOpened: (session: StreamSession) => void;
  readonly onEnded: (session: StreamSession) => void;
}

/** The listener that a session came by. */
export interface SessionListener extends Gate {
  readonly spec: ListenerSpec;
  readonly admission: Admission;
}

/** The name that is asked for where the client asked for none, as in the reference. */
const UPSTREAM_SERVER_NAME = 'apisix_backend';

const NONE_TRIED: ReadonlySet<UpstreamNode> = new Set();

/** One accepted connection on its way: read its head, match a route, pick a node, dial, relay, count. */
export class StreamSession implements StreamFacts, Attempt, ClosableSession {
  readonly #context: SessionContext;
  readonly #listener: ListenerSpec;
  readonly #gate: Gate;
  readonly #admission: Admission;
  /** The listener's limits kept it out. */
  #isKeptOut = false;
  /** The client's connection; within TLS once that is terminated. */
  #downstream: Wire;
  readonly #startedMs: number;
  #route: CompiledRoute | undefined;
  #upstream: Upstream | undefined;
  /** The node of the last attempt. */
  #node: WorkerNode | undefined;
  /** It is counted as busy with this session. */
  #holdsNode = false;
  #attemptedMs = 0;
  #connectMs = 0;
  /** What the access log will say; absent without one. */
  #trace: SessionTrace | undefined;
  #tried: Set<UpstreamNode> | undefined;
  #attemptsLeft = 0;
  /** What it is busy with, and what was said before the payload; absent where the payload comes first. */
  #arrival: Arrival | undefined;
  /** The application protocol that was agreed on with the client. */
  #protocol: string | undefined;
  #waiting: Waiting | undefined;
  #dialing: Dial | undefined;
  #relaying: Session | undefined;

  constructor(downstream: Wire, { spec, heads, tls, admission }: SessionListener, context: SessionContext) {
    this.#downstream = downstream;
    this.#listener = spec;
    // A reload replaces these for the next connections.
    this.#gate = { heads, tls };
    this.#admission = admission;
    this.#context = context;
    this.#startedMs = context.nowMs();
  }

  get serverPort(): number {
    return this.#listener.port;
  }

  get serverAddress(): string {
    return this.#trace?.serverAddress ?? this.#downstream.localAddress;
  }

  get remoteAddress(): string {
    return this.#arrival?.source?.address ?? this.#trace?.peerAddress ?? this.#downstream.remoteAddress;
  }

  get serverName(): string | undefined {
    return this.#arrival?.serverName;
  }

  get alpn(): readonly string[] | undefined {
    return this.#arrival?.alpn;
  }

  get tried(): ReadonlySet<UpstreamNode> {
    return this.#tried ?? NONE_TRIED;
  }

  get remotePort(): number {
    return this.#arrival?.source?.port ?? this.#trace?.peerPort ?? this.#downstream.remotePort;
  }

  /** What a hashing balancer hashes, the same at each attempt. */
  get key(): string {
    return this.#upstream?.hashKeyOf(this) ?? this.remoteAddress;
  }

  start(): void {
    const {
      counters,
      onOpened,
      relay: { wheel },
    } = this.#context;
    counters.sessionOpened(this.#listener.slot);
    onOpened(this);
    // The system forgets a connection's addresses with the connection.
    if (this.#context.accessLog !== undefined) this.#trace = startTrace(this.#downstream);
    const refusal = this.#admission.isLimited ? this.#admission.enter() : undefined;
    if (refusal !== undefined) {
      this.#isKeptOut = true;
      this.#refuse(refusal);
      return;
    }
    const { keepAliveSeconds } = this.#listener;
    if (keepAliveSeconds !== undefined) this.#downstream.keepAlive(keepAliveSeconds);
    if (!mustArrive(this.#gate)) {
      this.#serve();
      return;
    }
    // A connection that is refused may be gone by then, and its addresses with it.
    const trace = this.#trace ?? startTrace(this.#downstream);
    this.#arrival = new Arrival(this.#downstream, this.#gate, wheel, {
      isPassedOn: () => this.#context.table.match(this)?.tlsPassthrough === true,
      chooseProtocol: () => this.#chooseProtocol(),
      onArrived: (wire) => {
        this.#downstream = wire;
        this.#serve();
      },
      onRefused: (reason, isGone, detail) => {
        this.#trace = trace;
        this.#refuse(reason, isGone, detail);
      },
    });
    this.#arrival.start();
  }

  #serve(): void {
    const { table } = this.#context;
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

  /** One that the route asks for. A route that asks for none leaves it to the two ends, as if there were no ALPN. */
  #chooseProtocol(): string | undefined {
    const wanted = this.#context.table.match(this)?.alpn ?? [];
    this.#protocol = this.alpn?.find((protocol) => wanted.includes(protocol));
    return this.#protocol;
  }

  /** Ends the session now, whatever it is doing. */
  close(reason: Exclude<SessionReason, 'OK'>): void {
    if (this.#relaying !== undefined) {
      this.#relaying.close(reason);
      return;
    }
    const isGone = this.#arrival?.cancel();
    this.#waiting?.leave();
    this.#dialing?.cancel();
    this.#refuse(reason, isGone);
  }

  /** One that still dials finds out by itself. */
  isOnUnhealthy(upstreamKey: string, node: NodeIdentity): boolean {
    return this.#relaying !== undefined && isUnhealthyNode(this.#upstream, this.#node, upstreamKey, node);
  }

  /** @param otherwise why the session ends when no node is left to try. */
  #attempt(upstream: Upstream, otherwise: SessionReason): void {
    const { retryTimeoutMs } = upstream.facts;
    const isTooLate =
      retryTimeoutMs !== undefined && this.#context.nowMs() - this.#startedMs >= retryTimeoutMs;
    const mayTry = this.#attemptsLeft > 0 && !(isTooLate && this.#tried !== undefined);
    if (!mayTry) {
      this.#refuse(otherwise);
      return;
    }
    const node = upstream.isWaitedFor ? 'full' : upstream.take(this);
    if (node === 'full') this.#wait(upstream, otherwise);
    else if (node === undefined) this.#refuse(otherwise);
    else this.#dial(node, upstream);
  }

  #wait(upstream: Upstream, otherwise: SessionReason): void {
    this.#waiting = this.#context.room.enter(upstream, this, {
      onTurn: (node) => {
        this.#waiting = undefined;
        if (node === undefined) this.#refuse(otherwise);
        else this.#dial(node, upstream);
      },
      onTimeout: () => this.#giveUp('UPSTREAM_QUEUE_TIMEOUT'),
      onUpstreamGone: () => {
        this.#waiting = undefined;
        this.#serve();
      },
    });
    if (this.#waiting === undefined) this.#giveUp('UPSTREAM_FULL');
  }

  /** @param node counted as busy with this session. */
  #dial(node: WorkerNode, upstream: Upstream): void {
    const { driver, nowMs } = this.#context;
    const { connectTimeoutMs } = upstream.facts;
    this.#attemptsLeft -= 1;
    this.#node = node;
    this.#holdsNode = true;
    this.#attemptedMs = nowMs();
    this.#trace?.upstreams.push(formatEndpoint(node.address, node.port));
    let tls: UpstreamTls | undefined;
    try {
      tls = upstream.tlsFor(node);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#refuse(reasonOf(error.code), false, String(error.detail['reason']));
      return;
    }
    const localAddress = upstream.sourceFor(node);
    const source = localAddress === undefined ? undefined : { localAddress };
    const target = { address: node.address, port: node.port, connectTimeoutMs, ...source };
    const handler: DialHandler = {
      onWire: (wire) => this.#relay(wire, upstream, tls !== undefined),
      onFailure: (error) => this.#onDialFailed(error, upstream, node, localAddress),
    };
    this.#dialing =
      tls === undefined ? driver.dial(target, handler) : this.#dialTls({ ...target, tls }, handler);
  }

  /** @param localAddress that it was dialled from; undefined: the system chose. */
  #onDialFailed(
    { code, detail }: GatewayError,
    upstream: Upstream,
    node: WorkerNode,
    localAddress: string | undefined,
  ): void {
    const reason = reasonOf(code);
    const errno = String(detail['errno'] ?? detail['reason']);
    // What this machine lacks says nothing about the node.
    const isOurs = reason === 'GATEWAY_EXHAUSTED' || reason === 'UPSTREAM_SOURCE_UNAVAILABLE';
    if (!isOurs) node.load.failed(this.#context.nowMs() - this.#attemptedMs);
    this.#letGo();
    if (!isOurs && upstream.facts.reports !== undefined) this.#reportNode(upstream, node);
    this.#report(reason, errno, localAddress);
    (this.#tried ??= new Set()).add(node);
    // Other nodes need a descriptor too; the end of this session gives one back.
    if (ownShortage(errno) === 'everything') this.#attemptsLeft = 0;
    this.#attempt(upstream, reason);
  }

  /** A PROXY header goes before the handshake. */
  #dialTls(options: Omit<TlsDialOptions, 'serverName' | 'protocol' | 'preface'>, handler: DialHandler): Dial {
    const serverName = this.serverName ?? UPSTREAM_SERVER_NAME;
    const preface = this.#proxyHeader();
    const protocol = this.#protocol;
    const more = {
      ...(preface === undefined ? {} : { preface }),
      ...(protocol === undefined ? {} : { protocol }),
    };
    return dialTls(this.#context.relay.wheel, { ...options, serverName, ...more }, handler);
  }

  /** @param hasPreface the PROXY header has gone out already. */
  #relay(wire: Wire, upstream: Upstream, hasPreface: boolean): void {
    this.#dialing = undefined;
    this.#connectMs = this.#context.nowMs() - this.#attemptedMs;
    this.#node?.load.connected(this.#connectMs);
    const { idleTimeoutMs, keepAliveSeconds } = upstream.facts;
    if (keepAliveSeconds !== undefined) wire.keepAlive(keepAliveSeconds);
    const maxAgeMs = upstream.drawMaxAgeMs(this.#context.random);
    const options = { ...this.#context.relay, idleTimeoutMs, maxAgeMs, rates: this.#route?.rates };
    this.#relaying = relay(
      this.#downstream,
      wire,
      options,
      (result) => this.#onRelayed(result, wire),
      this.#takeHead(hasPreface),
    );
    // The client's end was read with its head, and will not be told again.
    if (this.#arrival?.hasEnded === true) wire.end();
  }

  #reportLoss(reason: SessionReason): void {
    const isLost = reason === 'UPSTREAM_RESET' || reason === 'UPSTREAM_LOST';
    if (!isLost || this.#upstream?.facts.reports !== 'sessions' || this.#node === undefined) return;
    this.#reportNode(this.#upstream, this.#node);
  }

  #reportNode({ key }: Upstream, { host, address, port }: WorkerNode): void {
    this.#context.onNodeFailure(key, { host, address, port });
  }

  /** What goes to the upstream first: a PROXY header, and the bytes that were read with the client's own head. */
  #takeHead(hasPreface: boolean): Uint8Array | undefined {
    const payload = this.#arrival?.takePayload();
    const header = hasPreface ? undefined : this.#proxyHeader();
    if (header === undefined) return payload;
    return payload === undefined ? header : Buffer.concat([header, payload]);
  }

  #proxyHeader(): Uint8Array | undefined {
    return writeProxyHeader(this.#gate.heads.options.proxyProtocolToUpstream, this);
  }

  #onRelayed({ code, errno }: RelayResult, wire: Wire): void {
    const reason = reasonOf(code);
    if (isFailure(reason)) this.#report(reason, errno);
    this.#reportLoss(reason);
    this.#end(reason, wire);
  }

  #letGo(): void {
    if (!this.#holdsNode) return;
    this.#holdsNode = false;
    this.#node?.load.end();
    if (this.#upstream?.facts.nodeMaxConnections !== undefined) this.#context.room.tell();
  }

  /** No node has room. */
  #giveUp(reason: SessionReason): void {
    // A node that failed before is not the one that has no room.
    this.#node = undefined;
    this.#report(reason, undefined);
    this.#end(reason, undefined);
    this.#downstream.close();
  }

  /** Closes the client's connection without a byte. */
  #refuse(reason: SessionReason, isGone = false, errno?: string): void {
    // Failed attempts have been reported one by one.
    if (this.#tried === undefined) this.#report(reason, errno);
    this.#end(reason, undefined);
    if (!isGone) this.#downstream.close();
  }

  #end(reason: SessionReason, wire: Wire | undefined): void {
    const { counters, onEnded } = this.#context;
    this.#letGo();
    if (this.#admission.isCounting && !this.#isKeptOut) this.#admission.leave();
    onEnded(this);
    counters.sessionEnded(this.#listener.slot, reason, {
      downstreamRead: this.#downstream.bytesRead,
      downstreamWritten: this.#downstream.bytesWritten,
      upstreamRead: wire?.bytesRead ?? 0,
      upstreamWritten: wire?.bytesWritten ?? 0,
    });
    this.#record(reason, wire);
  }

  #record(reason: SessionReason, wire: Wire | undefined): void {
    const { accessLog, nowMs } = this.#context;
    const trace = this.#trace;
    if (accessLog === undefined || trace === undefined) return;
    accessLog({
      connection: trace.connection,
      protocol: 'TCP',
      endedAt: Date.now(),
      durationMs: nowMs() - this.#startedMs,
      listener: this.#listener.name,
      remoteAddress: this.remoteAddress,
      remotePort: this.remotePort,
      peerAddress: trace.peerAddress,
      peerPort: trace.peerPort,
      serverAddress: trace.serverAddress,
      serverPort: this.serverPort,
      serverName: this.serverName,
      reason,
      bytesReceived: this.#downstream.bytesRead,
      bytesSent: this.#downstream.bytesWritten,
      routeId: this.#route?.id,
      serviceId: this.#route?.serviceId,
      upstreams: trace.upstreams,
      node: this.#node,
      upstream: wire && {
        connectMs: this.#connectMs,
        sessionMs: nowMs() - this.#attemptedMs,
        bytesReceived: wire.bytesRead,
        bytesSent: wire.bytesWritten,
      },
    });
  }

  #report(reason: SessionReason, errno: string | undefined, source?: string): void {
    const node = this.#node;
    this.#context.failures.add({
      reason,
      errno,
      listener: this.#listener.name,
      route: this.#route?.id,
      node: node && describeNode(node),
      source,
      client: this.remoteAddress,
    });
  }
}
