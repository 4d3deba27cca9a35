import type { Attempt, Wire } from '@apisix-ts/core';
import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import { dialTls, ownShortage } from '@apisix-ts/transport';
import type { Dial, DialHandler, TlsDialOptions, UpstreamTls } from '@apisix-ts/transport';
import type { VariableSource } from '../variables/variable-source.ts';
import type { SessionContext } from './session-context.ts';
import { reasonOf } from './session-reason.ts';
import type { SessionReason } from './session-reason.ts';
import type { Upstream, WorkerNode } from './upstream.ts';
import type { Waiting } from './waiting-room.ts';

/** The session that looks for a node. Of the outcomes exactly one is told, once, never after `cancel`. */
export interface NodeSeeker extends VariableSource {
  /** The name that the client asked for in TLS, and the application protocol that was agreed on. */
  readonly serverName: string | undefined;
  readonly protocol: string | undefined;
  /** When it began, by the context's clock. */
  readonly startedMs: number;
  /** A PROXY header for the node; undefined: none is wanted. */
  proxyHeader(): Uint8Array | undefined;
  onAttempt(node: WorkerNode): void;
  /** @param source the address of this machine that was dialled from; undefined: the system chose. */
  onAttemptFailed(reason: SessionReason, errno: string, source: string | undefined): void;
  /** Outcome: connected. @param hasPreface the PROXY header has gone out already. */
  onWire(wire: Wire, upstream: Upstream, hasPreface: boolean): void;
  /** Outcome: no node is left, or none can be dialled. Failed attempts have been told of. */
  onNoNode(reason: SessionReason, errno?: string): void;
  /** Outcome: no node has room. */
  onNoRoom(reason: SessionReason): void;
  /** Outcome: the upstream was replaced or removed while the session waited for its nodes. */
  onUpstreamGone(): void;
}

/** The name that is asked for where the client asked for none, as in the reference. */
const UPSTREAM_SERVER_NAME = 'apisix_backend';

const NONE_TRIED: ReadonlySet<WorkerNode> = new Set();

/** The way of a session to a node: pick one, wait where all are full, dial, and after a failure try another one. */
export class NodeSearch implements Attempt {
  readonly #seeker: NodeSeeker;
  readonly #context: SessionContext;
  readonly upstream: Upstream;
  /** The node of the last attempt. */
  node: WorkerNode | undefined;
  /** It is counted as busy with this session. */
  #holdsNode = false;
  /** When the last attempt began, and how long it took to connect. Milliseconds. */
  attemptedMs = 0;
  connectMs = 0;
  #tried: Set<WorkerNode> | undefined;
  #attemptsLeft: number;
  /** What it is busy with; neither when it is over. */
  #waiting: Waiting | undefined;
  #dialing: Dial | undefined;

  constructor(seeker: NodeSeeker, upstream: Upstream, context: SessionContext) {
    this.#seeker = seeker;
    this.upstream = upstream;
    this.#context = context;
    this.#attemptsLeft = upstream.attempts;
  }

  get tried(): ReadonlySet<WorkerNode> {
    return this.#tried ?? NONE_TRIED;
  }

  /** The endpoints of the nodes that were tried, the last one being that of `node`. */
  get attempts(): readonly string[] {
    if (this.node === undefined) return [];
    return Array.from(new Set(this.tried).add(this.node), ({ endpoint }) => endpoint);
  }

  /** What a hashing balancer hashes, the same at each attempt. */
  get key(): string {
    return this.upstream.hashKeyOf(this.#seeker) ?? this.#seeker.remoteAddress;
  }

  /** The node that is busy with this session. */
  get held(): WorkerNode | undefined {
    return this.#holdsNode ? this.node : undefined;
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  start(): void {
    this.#attempt('UPSTREAM_NO_NODE');
  }

  /** Gives up. */
  cancel(): void {
    this.#waiting?.leave();
    this.#dialing?.cancel();
  }

  /** The session is over: its node is left. */
  letGo(): void {
    if (!this.#holdsNode) return;
    this.#holdsNode = false;
    this.node?.load.end();
    if (this.upstream.facts.nodeMaxConnections !== undefined) this.#context.room.tell();
  }

  /** The node broke a session that it served. */
  reportLoss(): void {
    if (this.upstream.facts.reports === 'sessions') this.#reportNode();
  }

  /** @param otherwise why the session ends when no node is left to try. */
  #attempt(otherwise: SessionReason): void {
    const { upstream } = this;
    const { retryTimeoutMs } = upstream.facts;
    const isTooLate =
      retryTimeoutMs !== undefined && this.#context.nowMs() - this.#seeker.startedMs >= retryTimeoutMs;
    const mayTry = this.#attemptsLeft > 0 && !(isTooLate && this.#tried !== undefined);
    if (!mayTry) {
      this.#seeker.onNoNode(otherwise);
      return;
    }
    const node = upstream.isWaitedFor ? 'full' : upstream.take(this);
    if (node === 'full') this.#wait(otherwise);
    else if (node === undefined) this.#seeker.onNoNode(otherwise);
    else this.#dial(node);
  }

  #wait(otherwise: SessionReason): void {
    this.#waiting = this.#context.room.enter(this.upstream, this, {
      onTurn: (node) => {
        this.#waiting = undefined;
        if (node === undefined) this.#seeker.onNoNode(otherwise);
        else this.#dial(node);
      },
      onTimeout: () => this.#giveUp('UPSTREAM_QUEUE_TIMEOUT'),
      onUpstreamGone: () => {
        this.#waiting = undefined;
        this.#seeker.onUpstreamGone();
      },
    });
    if (this.#waiting === undefined) this.#giveUp('UPSTREAM_FULL');
  }

  #giveUp(reason: SessionReason): void {
    // A node that failed before is not the one that has no room.
    this.node = undefined;
    this.#seeker.onNoRoom(reason);
  }

  /** @param node counted as busy with this session. */
  #dial(node: WorkerNode): void {
    const { driver, counters, nowMs } = this.#context;
    const { upstream } = this;
    if (this.#tried !== undefined) counters.happened('retries');
    const { connectTimeoutMs } = upstream.facts;
    this.#attemptsLeft -= 1;
    this.node = node;
    this.#holdsNode = true;
    this.attemptedMs = nowMs();
    this.#seeker.onAttempt(node);
    let tls: UpstreamTls | undefined;
    try {
      tls = upstream.tlsFor(node);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#seeker.onNoNode(reasonOf(error.code), String(error.detail['reason']));
      return;
    }
    const localAddress = upstream.sourceFor(node);
    const source = localAddress === undefined ? undefined : { localAddress };
    const target = { address: node.address, port: node.port, connectTimeoutMs, ...source };
    const handler: DialHandler = {
      onWire: (wire) => this.#onWire(wire, node, tls !== undefined),
      onFailure: (error) => this.#onFailure(error, node, localAddress),
    };
    this.#dialing =
      tls === undefined ? driver.dial(target, handler) : this.#dialTls({ ...target, tls }, handler);
  }

  /** A PROXY header goes before the handshake. */
  #dialTls(options: Omit<TlsDialOptions, 'serverName' | 'protocol' | 'preface'>, handler: DialHandler): Dial {
    const { protocol, serverName = UPSTREAM_SERVER_NAME } = this.#seeker;
    const preface = this.#seeker.proxyHeader();
    const more = {
      ...(preface === undefined ? {} : { preface }),
      ...(protocol === undefined ? {} : { protocol }),
    };
    return dialTls(this.#context.relay.wheel, { ...options, serverName, ...more }, handler);
  }

  #onWire(wire: Wire, node: WorkerNode, isTls: boolean): void {
    this.#dialing = undefined;
    this.connectMs = this.#context.nowMs() - this.attemptedMs;
    node.load.connected(this.connectMs);
    const { counters } = this.#context;
    counters.connected(this.connectMs);
    if (isTls) counters.happened('upstreamHandshakes');
    // With the handshake, the PROXY header before it has gone out already.
    this.#seeker.onWire(wire, this.upstream, isTls);
  }

  /** @param localAddress that it was dialled from; undefined: the system chose. */
  #onFailure({ code, detail }: GatewayError, node: WorkerNode, localAddress: string | undefined): void {
    const reason = reasonOf(code);
    const errno = String(detail['errno'] ?? detail['reason']);
    // What this machine lacks says nothing about the node.
    const isOurs = reason === 'GATEWAY_EXHAUSTED' || reason === 'UPSTREAM_SOURCE_UNAVAILABLE';
    if (!isOurs) node.load.failed(this.#context.nowMs() - this.attemptedMs);
    this.letGo();
    if (!isOurs && this.upstream.facts.reports !== undefined) this.#reportNode();
    this.#seeker.onAttemptFailed(reason, errno, localAddress);
    (this.#tried ??= new Set()).add(node);
    // Other nodes need a descriptor too; the end of this session gives one back.
    if (ownShortage(errno) === 'everything') this.#attemptsLeft = 0;
    this.#attempt(reason);
  }

  #reportNode(): void {
    if (this.node === undefined) return;
    const { host, address, port } = this.node;
    this.#context.onNodeFailure(this.upstream.key, { host, address, port });
  }
}
