import { unixPath } from '@apisix-ts/core';
import type {
  Attempt,
  Flow,
  FlowHandler,
  FlowResult,
  FlowTable,
  FlowTarget,
  StreamFacts,
  UpstreamNode,
} from '@apisix-ts/core';
import { openDatagramLink } from '@apisix-ts/transport';
import type { SessionEnding, UpstreamTransfer } from '../variables/variable-source.ts';
import type { ListenerSpec, NodeIdentity } from '../workers/worker-link.ts';
import type { CompiledRoute } from './routing-table.ts';
import type { SessionBytes } from '../shared-counters.ts';
import type { SessionState } from './open-session.ts';
import { SessionAccount } from './session-account.ts';
import type { AccountContext, AccountedSession } from './session-account.ts';
import type { SessionContext } from './session-context.ts';
import { SessionPlugins } from './session-plugins.ts';
import { isFailure, reasonOf } from './session-reason.ts';
import type { SessionReason } from './session-reason.ts';
import { isUnhealthyNode } from './upstream.ts';
import type { Upstream, WorkerNode } from './upstream.ts';

/** What the datagram sessions of a worker share. */
export interface DatagramContext
  extends AccountContext, Pick<SessionContext, 'table' | 'room' | 'log' | 'onNodeFailure'> {
  readonly flows: FlowTable;
}

/**
 * The sessions of one client on one port, one after the other: match a route, pick a node, relay. The next one
 * after a failure goes to another node.
 */
export class DatagramSession implements FlowHandler, StreamFacts, Attempt, AccountedSession {
  readonly transport = 'udp';
  readonly serverName: undefined = undefined;
  readonly alpn: undefined = undefined;
  readonly tls: undefined = undefined;
  readonly proxied: undefined = undefined;
  readonly #flow: Flow;
  readonly #listener: ListenerSpec;
  readonly #context: DatagramContext;
  #serverAddress: string | undefined;
  /** Of the session that is open. */
  #account: SessionAccount;
  #route: CompiledRoute | undefined;
  #upstream: Upstream | undefined;
  #node: WorkerNode | undefined;
  /** Those of its route, when it has any. */
  #plugins: SessionPlugins | undefined;
  /** Nodes that failed since one last answered. */
  readonly #tried = new Set<UpstreamNode>();

  constructor(flow: Flow, listener: ListenerSpec, context: DatagramContext) {
    this.#flow = flow;
    this.#listener = listener;
    this.#context = context;
    this.#account = new SessionAccount(this, listener.slot, context);
  }

  get number(): number {
    return this.#account.number;
  }

  get startedMs(): number {
    return this.#account.startedMs;
  }

  get state(): SessionState {
    return 'relaying';
  }

  get listenerName(): string {
    return this.#listener.name;
  }

  get route(): CompiledRoute | undefined {
    return this.#route;
  }

  get upstream(): Upstream | undefined {
    return this.#upstream;
  }

  get node(): WorkerNode | undefined {
    return this.#node;
  }

  get bytesReceived(): number {
    return this.#flow.bytesFromClient;
  }

  get bytesSent(): number {
    return this.#flow.bytesToClient;
  }

  get bytes(): SessionBytes {
    const { bytesFromClient, bytesToClient, bytesFromNode, bytesToNode } = this.#flow;
    return {
      downstreamRead: bytesFromClient,
      downstreamWritten: bytesToClient,
      upstreamRead: bytesFromNode,
      upstreamWritten: bytesToNode,
    };
  }

  get idleMs(): number {
    return this.#flow.idleMs;
  }

  get serverPort(): number {
    return this.#listener.port;
  }

  get serverAddress(): string {
    return (this.#serverAddress ??= this.#flow.port.localAddressFor(this.#flow.clientAddress));
  }

  get remoteAddress(): string {
    return this.#flow.clientAddress;
  }

  get remotePort(): number {
    return this.#flow.clientPort;
  }

  get peerAddress(): string {
    return this.remoteAddress;
  }

  get peerPort(): number {
    return this.remotePort;
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
    return this.#node === undefined ? [] : [this.#node.endpoint];
  }

  get attemptedNode(): WorkerNode | undefined {
    return this.#node;
  }

  get upstreamTransfer(): UpstreamTransfer | undefined {
    if (this.#node === undefined) return undefined;
    const { bytesFromNode: bytesReceived, bytesToNode: bytesSent } = this.#flow;
    return { connectMs: 0, sessionMs: this.durationMs, bytesReceived, bytesSent };
  }

  get tried(): ReadonlySet<UpstreamNode> {
    return this.#tried;
  }

  /** What a hashing balancer hashes. */
  get key(): string {
    return this.#upstream?.hashKeyOf(this) ?? this.remoteAddress;
  }

  connect(): FlowTarget | undefined {
    this.#node = undefined;
    this.#plugins = undefined;
    this.#account = new SessionAccount(this, this.#listener.slot, this.#context);
    this.#account.open();
    this.#account.spans?.matching(this);
    this.#route = this.#context.table.match(this);
    this.#account.spans?.matched(this.#route);
    if (this.#route === undefined) return this.#refuse('ROUTE_NOT_FOUND');
    if (!this.#passPlugins(this.#route)) return this.#refuse('PLUGIN_REFUSED');
    const upstream = this.#upstreamOf(this.#route);
    if (upstream === undefined) return this.#refuse('UPSTREAM_NOT_CONFIGURED');
    // Datagrams have no TLS here, and must not go out without what was asked for.
    if (upstream.facts.tls !== undefined) return this.#refuse('UPSTREAM_NO_NODE', 'scheme tls, on UDP');
    const node = this.#take(upstream);
    if (node === undefined) return this.#refuse('UPSTREAM_NO_NODE');
    // A datagram does not wait.
    if (node === 'full') return this.#refuse('UPSTREAM_FULL');
    if (unixPath(node.address) !== undefined) {
      node.load.end();
      this.#tried.add(node);
      return this.#refuse('UPSTREAM_NO_NODE', `${node.address}, on UDP`);
    }
    this.#node = node;
    this.#account.spans?.relaying();
    return {
      link: openDatagramLink(node.address, node.port),
      idleTimeoutMs: upstream.facts.idleTimeoutMs,
    };
  }

  onEnded(flow: Flow, { code, errno }: FlowResult): void {
    const reason = reasonOf(code);
    this.#node?.load.end();
    if (this.#upstream?.facts.nodeMaxConnections !== undefined) this.#context.room.tell();
    if (isFailure(reason)) this.#account.report(reason, errno);
    if (reason === 'UPSTREAM_CONNECT_REFUSED' || reason === 'UPSTREAM_CONNECT_FAILED') this.#fail();
    this.#account.end(reason, this.#plugins);
    // Whoever has been idle longest makes room for this client's next datagram.
    if (reason === 'GATEWAY_EXHAUSTED') this.#context.flows.evict(flow);
  }

  /** Ends the session that is open. */
  close(reason: Exclude<SessionReason, 'OK'>): void {
    this.#flow.close(reason);
  }

  /** Nothing of a datagram session is ever cut off. */
  finish(reason: Exclude<SessionReason, 'OK'>): void {
    this.close(reason);
  }

  isOnUnhealthy(upstreamKey: string, node: NodeIdentity): boolean {
    return isUnhealthyNode(this.#upstream, this.#node, upstreamKey, node);
  }

  countProgress(): void {
    this.#account.countProgress();
  }

  #upstreamOf(route: CompiledRoute): Upstream | undefined {
    return this.#plugins === undefined ? this.#context.table.upstreamOf(route) : this.#plugins.upstream;
  }

  /** @returns whether the session goes on. */
  #passPlugins(route: CompiledRoute): boolean {
    const plugins = this.#context.table.pluginsOf(route);
    if (plugins.length === 0) return true;
    let isPassed = false;
    this.#plugins = new SessionPlugins(this, route, plugins, this.#context);
    this.#plugins.begin(undefined, {
      onPassed: () => (isPassed = true),
      onRefused: (plugin, { refuse: status, reason }) =>
        (this.#account.refusal = { plugin, status, why: reason }),
      onClosed() {
        throw new TypeError('datagrams have no connection that could close');
      },
    });
    return isPassed;
  }

  /** Not a node that was tried, until all that may be tried were. */
  #take(upstream: Upstream): ReturnType<Upstream['take']> {
    if (upstream !== this.#upstream || this.#tried.size >= upstream.attempts) this.#tried.clear();
    this.#upstream = upstream;
    const node = upstream.take(this);
    if (node !== undefined || this.#tried.size === 0) return node;
    this.#tried.clear();
    return upstream.take(this);
  }

  #fail(): void {
    if (this.#upstream === undefined || this.#node === undefined) return;
    const { host, address, port } = this.#node;
    if (this.#flow.bytesFromNode > 0) this.#tried.clear();
    this.#tried.add(this.#node);
    if (this.#upstream.facts.reports === undefined) return;
    this.#context.onNodeFailure(this.#upstream.key, { host, address, port });
  }

  /** The datagram is dropped. */
  #refuse(reason: SessionReason, errno?: string): undefined {
    this.#account.report(reason, errno);
    this.#account.end(reason, this.#plugins);
  }
}
