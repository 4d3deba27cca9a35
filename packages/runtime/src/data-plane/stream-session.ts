import { PeekBuffer, relay } from '@apisix-ts/core';
import type { IpAddresses, RelayResult, Session, StreamFacts, Wire } from '@apisix-ts/core';
import { TlsWire } from '@apisix-ts/transport';
import type { TlsFacts } from '@apisix-ts/transport';
import type { SessionBytes } from '../shared-counters.ts';
import type { Admission } from '../shared-admissions.ts';
import type { SessionEnding, UpstreamTransfer } from '../variables/variable-source.ts';
import type { ListenerSpec, NodeIdentity } from '../workers/worker-link.ts';
import { Arrival, mustArrive } from './arrival.ts';
import type { Gate } from './arrival.ts';
import { NodeSearch } from './node-search.ts';
import type { NodeSeeker } from './node-search.ts';
import type { SessionState } from './open-session.ts';
import { writeProxyHeader } from './proxy-head.ts';
import type { CompiledRoute } from './routing-table.ts';
import { SessionAccount } from './session-account.ts';
import type { AccountedSession } from './session-account.ts';
import type { SessionContext, SessionListener } from './session-context.ts';
import { SessionPlugins } from './session-plugins.ts';
import { isFailure, reasonOf } from './session-reason.ts';
import type { SessionReason } from './session-reason.ts';
import { startTrace } from './session-trace.ts';
import type { SessionTrace } from './session-trace.ts';
import { isUnhealthyNode } from './upstream.ts';
import type { Upstream, WorkerNode } from './upstream.ts';

/** One accepted connection on its way: read its head, match a route, pick a node, dial, relay. */
export class StreamSession implements StreamFacts, NodeSeeker, AccountedSession {
  readonly transport = 'tcp';
  readonly #context: SessionContext;
  readonly #listener: ListenerSpec;
  readonly #gate: Gate;
  readonly #admission: Admission;
  readonly #account: SessionAccount;
  /** The listener's limits kept it out. */
  #isKeptOut = false;
  /** The client's connection; within TLS once that is terminated. */
  #downstream: Wire;
  #route: CompiledRoute | undefined;
  /** Absent before there is an upstream. */
  #search: NodeSearch | undefined;
  /** Addresses of the client's connection; absent where nobody asks for them when it is gone. */
  #trace: SessionTrace | undefined;
  /** What was said before the payload; absent where the payload comes first. */
  #arrival: Arrival | undefined;
  /** Where the client's first bytes were read; absent where that was left to the relay. */
  #payload: PeekBuffer | undefined;
  /** Those of its route, once they look at it; absent where it has none. */
  #plugins: SessionPlugins | undefined;
  /** The application protocol that was agreed on with the client. */
  #protocol: string | undefined;
  #relaying: Session | undefined;

  constructor(downstream: Wire, { spec, gate, admission }: SessionListener, context: SessionContext) {
    this.#downstream = downstream;
    this.#listener = spec;
    this.#gate = gate;
    this.#admission = admission;
    this.#context = context;
    this.#account = new SessionAccount(this, spec.slot, context);
  }

  get number(): number {
    return this.#account.number;
  }

  get startedMs(): number {
    return this.#account.startedMs;
  }

  get state(): SessionState {
    if (this.#relaying !== undefined) return this.#relaying.isEnding ? 'closing' : 'relaying';
    if (this.#search === undefined) return 'arriving';
    return this.#search.isWaiting ? 'waiting' : 'dialing';
  }

  get listenerName(): string {
    return this.#listener.name;
  }

  get route(): CompiledRoute | undefined {
    return this.#route;
  }

  get upstream(): Upstream | undefined {
    return this.#search?.upstream;
  }

  get node(): WorkerNode | undefined {
    return this.#search?.held;
  }

  get bytesReceived(): number {
    return this.#downstream.bytesRead;
  }

  get bytesSent(): number {
    return this.#downstream.bytesWritten;
  }

  get bytes(): SessionBytes {
    const upstream = this.#relaying?.upstream;
    return {
      downstreamRead: this.#downstream.bytesRead,
      downstreamWritten: this.#downstream.bytesWritten,
      upstreamRead: upstream?.bytesRead ?? 0,
      upstreamWritten: upstream?.bytesWritten ?? 0,
    };
  }

  get idleMs(): number {
    return this.#relaying?.idleMs ?? 0;
  }

  get serverPort(): number {
    return this.#listener.port;
  }

  get serverAddress(): string {
    return this.#trace?.serverAddress ?? this.#downstream.localAddress;
  }

  get remoteAddress(): string {
    return this.#arrival?.source?.address ?? this.peerAddress;
  }

  get serverName(): string | undefined {
    return this.#arrival?.serverName;
  }

  get alpn(): readonly string[] | undefined {
    return this.#arrival?.alpn;
  }

  get remotePort(): number {
    return this.#arrival?.source?.port ?? this.peerPort;
  }

  get protocol(): string | undefined {
    return this.#protocol;
  }

  get peerAddress(): string {
    return this.#trace?.peerAddress ?? this.#downstream.remoteAddress;
  }

  get peerPort(): number {
    return this.#trace?.peerPort ?? this.#downstream.remotePort;
  }

  get proxied(): IpAddresses | undefined {
    return this.#arrival?.proxied;
  }

  get tls(): TlsFacts | undefined {
    return this.#downstream instanceof TlsWire ? this.#downstream.facts : undefined;
  }

  get serviceName(): string | undefined {
    return this.#route && this.#context.table.serviceOf(this.#route)?.name;
  }

  get ownVariables(): ReadonlyMap<string, string> | undefined {
    return this.#plugins?.variables;
  }

  get durationMs(): number {
    return this.#account.durationMs;
  }

  get ending(): SessionEnding | undefined {
    return this.#account.ending;
  }

  get attempts(): readonly string[] {
    return this.#search?.attempts ?? [];
  }

  get attemptedNode(): WorkerNode | undefined {
    return this.#search?.node;
  }

  get upstreamTransfer(): UpstreamTransfer | undefined {
    const wire = this.#relaying?.upstream;
    if (wire === undefined || this.#search === undefined) return undefined;
    const { connectMs, attemptedMs } = this.#search;
    const sessionMs = this.#account.lastMs - attemptedMs;
    return { connectMs, sessionMs, bytesReceived: wire.bytesRead, bytesSent: wire.bytesWritten };
  }

  start(): void {
    const { accessLog, counters, relay: relaying, table, tallies } = this.#context;
    // The system forgets a connection's addresses with the connection.
    if (accessLog !== undefined || tallies.readsVariables) this.#trace = startTrace(this.#downstream);
    this.#account.open();
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
    this.#arrival = new Arrival(this.#downstream, this.#gate, relaying.wheel, {
      isPassedOn: () => table.match(this)?.tlsPassthrough === true,
      chooseProtocol: () => this.#chooseProtocol(),
      onArrived: (wire, payload) => {
        this.#payload = payload;
        if (wire !== this.#downstream) counters.happened('downstreamHandshakes');
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

  countProgress(): void {
    if (this.#relaying !== undefined) this.#account.countProgress();
  }

  #serve(): void {
    const { table } = this.#context;
    this.#account.spans?.matching(this);
    this.#route = table.match(this);
    this.#account.spans?.matched(this.#route);
    if (this.#route === undefined) {
      this.#refuse('ROUTE_NOT_FOUND');
      return;
    }
    const plugins = table.pluginsOf(this.#route);
    if (plugins.length === 0) this.#seekNode(this.#route);
    else this.#meet(new SessionPlugins(this, this.#route, plugins, this.#context), this.#route);
  }

  #meet(plugins: SessionPlugins, route: CompiledRoute): void {
    this.#plugins = plugins;
    // The system forgets a connection's addresses with the connection.
    if (plugins.isLogging) this.#trace ??= startTrace(this.#downstream);
    const { wheel } = this.#context.relay;
    plugins.begin(
      { wheel, buffer: () => (this.#payload ??= new PeekBuffer(this.#downstream, wheel)) },
      {
        onPassed: () => this.#seekNode(route),
        onRefused: (plugin, { refuse: status, reason }) => {
          this.#account.refusal = { plugin, status, why: reason };
          this.#refuse('PLUGIN_REFUSED');
        },
        onClosed: (error) =>
          this.#refuse(error?.kind === 'failed' ? 'DOWNSTREAM_LOST' : 'DOWNSTREAM_RESET', true),
      },
    );
  }

  #seekNode(route: CompiledRoute): void {
    const upstream =
      this.#plugins === undefined ? this.#context.table.upstreamOf(route) : this.#plugins.upstream;
    if (upstream === undefined) {
      this.#refuse('UPSTREAM_NOT_CONFIGURED');
      return;
    }
    this.#search = new NodeSearch(this, upstream, this.#context);
    this.#search.start();
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
    this.#plugins?.cancel();
    this.#search?.cancel();
    this.#refuse(reason, isGone);
  }

  finish(reason: Exclude<SessionReason, 'OK'>): void {
    if (this.#relaying === undefined) this.close(reason);
    else this.#relaying.finish(reason);
  }

  /** One that still dials finds out by itself. */
  isOnUnhealthy(upstreamKey: string, node: NodeIdentity): boolean {
    const { upstream, node: own } = this.#search ?? {};
    return this.#relaying !== undefined && isUnhealthyNode(upstream, own, upstreamKey, node);
  }

  proxyHeader(): Uint8Array | undefined {
    return writeProxyHeader(this.#gate.heads.options.proxyProtocolToUpstream, this);
  }

  onAttempt(node: WorkerNode): void {
    this.#account.spans?.dialing(node);
  }

  onAttemptFailed(reason: SessionReason, errno: string, source: string | undefined): void {
    this.#account.report(reason, errno, source);
    this.#account.spans?.dialFailed(reason);
  }

  onNoNode(reason: SessionReason, errno?: string): void {
    this.#refuse(reason, false, errno);
  }

  onNoRoom(reason: SessionReason): void {
    this.#account.report(reason, undefined);
    this.#end(reason);
    this.#downstream.close();
  }

  onUpstreamGone(): void {
    // It may get another route, with plugins of its own.
    this.#plugins?.leave();
    this.#plugins = undefined;
    this.#serve();
  }

  onWire(wire: Wire, upstream: Upstream, hasPreface: boolean): void {
    this.#account.spans?.relaying();
    const { idleTimeoutMs, keepAliveSeconds } = upstream.facts;
    if (keepAliveSeconds !== undefined) wire.keepAlive(keepAliveSeconds);
    const maxAgeMs = upstream.drawMaxAgeMs(this.#context.random);
    const options = { ...this.#context.relay, idleTimeoutMs, maxAgeMs, rates: this.#route?.rates };
    this.#relaying = relay(
      this.#downstream,
      wire,
      options,
      (result) => this.#onRelayed(result),
      this.#takeHead(hasPreface),
    );
    // The client's end was read with its first bytes, and will not be told again.
    if (this.#payload?.hasEnded === true) wire.end();
  }

  /** What goes to the upstream first: a PROXY header, and the client's bytes that were read already. */
  #takeHead(hasPreface: boolean): Uint8Array | undefined {
    const payload = this.#payload?.takeHead();
    const header = hasPreface ? undefined : this.proxyHeader();
    if (header === undefined) return payload;
    return payload === undefined ? header : Buffer.concat([header, payload]);
  }

  #onRelayed({ code, errno }: RelayResult): void {
    const reason = reasonOf(code);
    if (isFailure(reason)) this.#account.report(reason, errno);
    if (reason === 'UPSTREAM_RESET' || reason === 'UPSTREAM_LOST') this.#search?.reportLoss();
    this.#end(reason);
  }

  /** Closes the client's connection without a byte. */
  #refuse(reason: SessionReason, isGone = false, errno?: string): void {
    // Failed attempts have been reported one by one.
    if (isFailure(reason) && (this.#search?.tried.size ?? 0) === 0) this.#account.report(reason, errno);
    this.#end(reason);
    if (!isGone) this.#downstream.close();
  }

  #end(reason: SessionReason): void {
    this.#search?.letGo();
    if (this.#admission.isCounting && !this.#isKeptOut) this.#admission.leave();
    this.#account.end(reason, this.#plugins);
  }
}
