import { balancerKinds, createTiers, roundRobin, unixPath } from '@apisix-ts/core';
import type { Attempt, Balancer, BalancerKind, UpstreamNode } from '@apisix-ts/core';
import { compileUpstreamTls, formatEndpoint } from '@apisix-ts/transport';
import type { UpstreamTls } from '@apisix-ts/transport';
import type { NodeFacts, UpstreamFacts } from '../facts/facts.ts';
import type { SharedNodeLoad, WorkerNodeLoads } from '../shared-node-loads.ts';
import { SourceAddresses } from '../source-addresses.ts';
import type { VariableSource } from '../variables/variable-source.ts';
import type { NodeIdentity } from '../workers/worker-link.ts';
import type { DrainRules } from './drain-rules.ts';
import { compileHashKey } from './hash-key.ts';

const kindsByName: ReadonlyMap<string, BalancerKind> = new Map(
  balancerKinds.map((kind) => [kind.name, kind]),
);

/** A node in a worker. Its load is shared with all the others. It stays the same object while its upstream has it. */
export interface WorkerNode extends UpstreamNode {
  weight: number;
  priority: number;
  readonly slot: number;
  /** `192.0.2.1:3306` */
  readonly endpoint: string;
  readonly load: SharedNodeLoad;
}

/** A node as it stands at this moment. */
export interface NodeState extends Omit<NodeFacts, 'slot'> {
  readonly isHealthy: boolean;
  /** Sessions of all workers that are busy with it. */
  readonly active: number;
  /** It gets no new sessions, because an operator said so. */
  readonly isDrained: boolean;
  /** The next session may get it at its first attempt, unless it is full. */
  readonly isInTurn: boolean;
}

/** An upstream in a worker. Its balancer is built by the first session that needs it, so unused ones cost little. */
export class Upstream {
  /** What the main thread calls it. */
  readonly key: string;
  readonly #loads: WorkerNodeLoads;
  readonly #drains: DrainRules | undefined;
  /** The version of them that the balancer goes by. */
  #drainsVersion = 0;
  /** Sessions of this worker wait for one of its nodes: others have to go behind them. */
  isWaitedFor = false;
  #facts: UpstreamFacts;
  /** Those that the last balancer was made of. */
  #nodes: readonly WorkerNode[] = [];
  #balancer: Balancer | undefined;
  #hashKey: ((session: VariableSource) => string) | undefined;
  #tls: UpstreamTls | undefined;
  #sources: SourceAddresses | undefined;

  /** @param drains nodes that get no new sessions. Default: there are none. */
  constructor(key: string, facts: UpstreamFacts, loads: WorkerNodeLoads, drains?: DrainRules) {
    this.key = key;
    this.#facts = compact(facts);
    this.#loads = loads;
    this.#drains = drains;
  }

  get facts(): UpstreamFacts {
    return this.#facts;
  }

  /**
   * A node for the session, counted as busy with it.
   * @returns undefined when every usable node was tried; `full` when one that was not has all the sessions it may have.
   */
  take(attempt: Attempt): WorkerNode | 'full' | undefined {
    const { nodeMaxConnections: most } = this.#facts;
    if (most !== undefined) return this.#takeBelow(most, attempt);
    const node = this.#pick(attempt);
    node?.load.begin();
    return node;
  }

  /**
   * How to speak TLS to a node; undefined for plain TCP.
   * @throws GatewayError `TLS_CERTIFICATE_INVALID`.
   */
  tlsFor(node: WorkerNode): UpstreamTls | undefined {
    const { tls } = this.#facts;
    if (tls === undefined) return undefined;
    this.#tls ??= compileUpstreamTls(tls.clientPair === undefined ? {} : { clientPair: tls.clientPair });
    return tls.verify ? { ...this.#tls, verify: { name: node.host } } : this.#tls;
  }

  /** As the balancers see them, whichever it is. */
  nodeStates(): readonly NodeState[] {
    const nodes = this.#facts.nodes.map(({ slot, ...facts }) => {
      const { isHealthy, active } = this.#loads.at(slot);
      return { ...facts, isHealthy, active, isDrained: this.#isDrained(facts) };
    });
    const inTurn = nodesInTurn(nodes.filter(({ isDrained }) => !isDrained));
    return nodes.map((node) => ({ ...node, isInTurn: inTurn.includes(node) }));
  }

  /** What a hashing balancer hashes. */
  hashKeyOf(session: VariableSource): string {
    this.#hashKey ??= compileHashKey(this.#facts.hash);
    return this.#hashKey(session);
  }

  /** Where to connect to a node from; undefined: the system chooses. */
  sourceFor({ address }: WorkerNode): string | undefined {
    const { sourceAddresses } = this.#facts;
    if (sourceAddresses === undefined || unixPath(address) !== undefined) return undefined;
    return (this.#sources ??= new SourceAddresses(sourceAddresses)).next(address);
  }

  /** How old one session may get, milliseconds; 0: for ever. */
  drawMaxAgeMs(random: () => number): number {
    const { sessionAge } = this.#facts;
    return sessionAge === undefined ? 0 : sessionAge.mostMs * (1 - sessionAge.jitter * random());
  }

  /** Attempts one session may make: the first and its retries. */
  get attempts(): number {
    return 1 + (this.#facts.retries ?? this.#facts.nodes.length - 1);
  }

  /**
   * Takes new facts. The balancer goes on where it was unless its nodes or its kind changed; then it is made anew, of
   * the same objects for the nodes that stay.
   */
  update(facts: UpstreamFacts): void {
    const isSameBalancing = facts.type === this.#facts.type && areSameNodes(facts.nodes, this.#facts.nodes);
    this.#facts = isSameBalancing ? { ...facts, nodes: this.#facts.nodes } : compact(facts);
    if (!isSameBalancing) this.#balancer = undefined;
    this.#hashKey = undefined;
    this.#tls = undefined;
    this.#sources = undefined;
  }

  /** A node that stays is the same object as before. */
  #makeNodes(): readonly WorkerNode[] {
    // A document may name a node twice: then both have one slot, and each its own object.
    const former = Map.groupBy(this.#nodes, ({ slot }) => slot);
    this.#nodes = this.#facts.nodes.map((facts) => {
      const node = former.get(facts.slot)?.shift();
      if (node === undefined || !isSamePlace(node, facts)) {
        const endpoint = formatEndpoint(facts.address, facts.port);
        return { ...facts, endpoint, load: this.#loads.at(facts.slot) };
      }
      node.weight = facts.weight;
      node.priority = facts.priority;
      return node;
    });
    return this.#nodes;
  }

  #pick(attempt: Attempt): WorkerNode | undefined {
    if (this.#drains !== undefined && this.#drains.version !== this.#drainsVersion) {
      this.#drainsVersion = this.#drains.version;
      this.#balancer = undefined;
    }
    this.#balancer ??= createTiers(
      this.#kind(),
      this.#makeNodes().filter((node) => !this.#isDrained(node)),
    );
    // It was made of such nodes.
    return this.#balancer.pick(attempt) as WorkerNode | undefined;
  }

  #isDrained(node: NodeIdentity): boolean {
    return this.#drains?.hasNode(this.key, node) === true;
  }

  /** Full nodes are passed over like those that were tried. */
  #takeBelow(most: number, attempt: Attempt): WorkerNode | 'full' | undefined {
    const usual = this.#pick(attempt);
    if (usual === undefined || usual.load.beginBelow(most)) return usual;
    const tried = new Set(attempt.tried);
    for (const node of this.#nodes) if (node.load.active >= most) tried.add(node);
    const others: Attempt = {
      tried: tried.add(usual),
      get key() {
        return attempt.key;
      },
    };
    for (let node = this.#pick(others); node !== undefined; node = this.#pick(others)) {
      if (node.load.beginBelow(most)) return node;
      // Another worker was faster.
      tried.add(node);
    }
    return 'full';
  }

  /** A type found stored that does not exist here is balanced in turn; the main thread has logged it. */
  #kind(): BalancerKind {
    return kindsByName.get(this.#facts.type) ?? roundRobin;
  }
}

/** Is the node of a session this one, and unhealthy now? */
export function isUnhealthyNode(
  upstream: Upstream | undefined,
  node: WorkerNode | undefined,
  upstreamKey: string,
  { host, address, port }: NodeIdentity,
): boolean {
  if (upstream?.key !== upstreamKey || node?.port !== port) return false;
  return node.address === address && node.host === host && !node.load.isHealthy;
}

/** Healthy ones before all, then the highest priority, then those that have a weight. */
function nodesInTurn<N extends Omit<NodeState, 'isInTurn'>>(nodes: readonly N[]): readonly N[] {
  const healthy = orAll(nodes, ({ isHealthy }) => isHealthy);
  const priority = Math.max(...healthy.map((node) => node.priority));
  const first = healthy.filter((node) => node.priority === priority);
  return orAll(first, ({ weight }) => weight > 0);
}

function orAll<N>(nodes: readonly N[], isWanted: (node: N) => boolean): readonly N[] {
  const wanted = nodes.filter(isWanted);
  return wanted.length > 0 ? wanted : nodes;
}

/** For the log. */
export function describeNode({ host, address, port }: WorkerNode): string {
  if (unixPath(address) !== undefined) return address;
  return `${host} (${address}:${port})`;
}

/** What was read from JSON has a copy of each text. */
function compact(facts: UpstreamFacts): UpstreamFacts {
  const nodes = facts.nodes.map(({ host, address, port, weight, priority, slot }) => ({
    host: host === address ? address : host,
    address,
    port,
    weight,
    priority,
    slot,
  }));
  return { ...facts, type: kindsByName.get(facts.type)?.name ?? facts.type, nodes };
}

function areSameNodes(left: readonly NodeFacts[], right: readonly NodeFacts[]): boolean {
  return left.length === right.length && left.every((node, index) => isSameNode(node, right[index]));
}

function isSameNode(left: NodeFacts, right: NodeFacts | undefined): boolean {
  return (
    right !== undefined &&
    isSamePlace(left, right) &&
    left.weight === right.weight &&
    left.priority === right.priority &&
    left.slot === right.slot
  );
}

type Place = Pick<NodeFacts, 'host' | 'address' | 'port'>;

/** A slot alone does not tell: that of a node which went may be another's now. */
function isSamePlace(left: Place, right: Place): boolean {
  return left.host === right.host && left.address === right.address && left.port === right.port;
}
