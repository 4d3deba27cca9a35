import { isDeepStrictEqual } from 'node:util';
import type { HealthChecks } from '@apisix-ts/config';
import type { HealthReport, HealthStatus } from '@apisix-ts/core';
import { compileChecks } from './check-plan.ts';
import type { CheckPlan } from './check-plan.ts';
import { CheckedNode } from './checked-node.ts';
import type { HealthFlip, ProbeResources } from './checked-node.ts';
import { createLine } from './probe-queue.ts';
import type { ProbeLine } from './probe-queue.ts';
import type { ProbedNode } from './probed-node.ts';

/** What of an upstream matters to its checks. */
export interface UpstreamChecks {
  /** As the snapshot hands them out: checked, with defaults. */
  readonly checks: HealthChecks;
  readonly nodes: readonly ProbedNode[];
  /** The upstream's `upstream_host` where `pass_host` is `rewrite`: `Host` and server name of http and https probes. */
  readonly hostHeader?: string;
  /** Where to connect from, ip literals; absent: the system chooses. */
  readonly sourceAddresses?: readonly string[];
}

/** A node as the Control API shows it. */
export interface NodeHealth {
  readonly ip: string;
  /** The node's own, also where `active.port` is probed. */
  readonly port: number;
  /** `active.host`, else the node's host. */
  readonly hostname: string;
  readonly hostheader?: string;
  readonly status: HealthStatus;
  readonly counter: {
    readonly success: number;
    readonly http_failure: number;
    readonly tcp_failure: number;
    readonly timeout_failure: number;
  };
}

/** The nodes of one upstream, each once by host, address and port. */
export class CheckedUpstream {
  /** Without nodes: they come and go. */
  readonly #settings: UpstreamChecks;
  readonly #plan: CheckPlan;
  readonly #line: ProbeLine;
  readonly #resources: ProbeResources;
  readonly #onFlip: (node: ProbedNode, flip: HealthFlip) => void;
  readonly #nodes = new Map<string, CheckedNode>();

  constructor(
    upstream: UpstreamChecks,
    resources: ProbeResources,
    onFlip: (node: ProbedNode, flip: HealthFlip) => void,
  ) {
    this.#settings = { ...upstream, nodes: [] };
    this.#plan = compileChecks(upstream.checks, upstream.hostHeader, upstream.sourceAddresses);
    this.#line = createLine(this.#plan.concurrency);
    this.#resources = resources;
    this.#onFlip = onFlip;
  }

  /** Do other checks hold than those that run? The nodes do not matter. */
  differsFrom(upstream: UpstreamChecks): boolean {
    return !isDeepStrictEqual(this.#settings, { ...upstream, nodes: [] });
  }

  /**
   * Takes these nodes instead of the present ones. One that stays keeps its state and the pace of its probes.
   * @returns the nodes that went while unhealthy.
   */
  setNodes(nodes: readonly ProbedNode[]): readonly ProbedNode[] {
    const wanted = new Map(nodes.map((node) => [identity(node), node]));
    const gone = [...this.#nodes].filter(([key]) => !wanted.has(key));
    // All of them first: each that stops makes room for one that waits.
    for (const [, checked] of gone) this.#resources.queue.withdraw(this.#line, checked);
    for (const [key, checked] of gone) {
      checked.stop();
      this.#nodes.delete(key);
    }
    for (const [key, node] of wanted) {
      if (!this.#nodes.has(key)) this.#nodes.set(key, this.#check(node));
    }
    return gone.filter(([, { target }]) => !target.isHealthy).map(([, { node }]) => node);
  }

  /** A report of a session. A node that is not there is passed over: the report was late. */
  reportPassive(node: ProbedNode, kind: HealthReport): void {
    this.#nodes.get(identity(node))?.report(kind, 'passive');
  }

  /** The type of its probes. */
  get type(): HealthChecks['active']['type'] {
    return this.#settings.checks.active.type;
  }

  /** Are the sessions of a node closed that becomes unhealthy? */
  get closesSessions(): boolean {
    return this.#settings.checks.on_unhealthy === 'close';
  }

  /** Nodes may come and go between two of them. */
  *nodes(): Iterable<NodeHealth> {
    const { checks, hostHeader } = this.#settings;
    for (const { node, target } of this.#nodes.values()) {
      yield {
        ip: node.address,
        port: node.port,
        hostname: checks.active.host ?? node.host,
        ...(hostHeader === undefined ? {} : { hostheader: hostHeader }),
        status: target.status,
        counter: {
          success: target.counters.success,
          http_failure: target.counters.http_failure,
          tcp_failure: target.counters.tcp_failure,
          timeout_failure: target.counters.timeout,
        },
      };
    }
  }

  #check(node: ProbedNode): CheckedNode {
    return new CheckedNode(node, this.#plan, this.#line, this.#resources, (flip) => this.#onFlip(node, flip));
  }
}

function identity({ host, address, port }: ProbedNode): string {
  return `${host} ${address} ${port}`;
}
