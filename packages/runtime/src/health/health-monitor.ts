import type { HealthChecks } from '@apisix-ts/config';
import { TimerWheel } from '@apisix-ts/core';
import type { HealthReport, WheelClock } from '@apisix-ts/core';
import { systemClock } from '@apisix-ts/transport';
import type { Log } from '../log.ts';
import type { HealthFlip, ProbeResources } from './checked-node.ts';
import { CheckedUpstream } from './checked-upstream.ts';
import type { NodeHealth, UpstreamChecks } from './checked-upstream.ts';
import { unsendableHeaders } from './http-probe-plan.ts';
import { ProbeQueue } from './probe-queue.ts';
import type { ProbeTrust } from './probe.ts';
import type { ProbedNode } from './probed-node.ts';

export interface HealthMonitorOptions {
  /**
   * May sessions go to this node? It is called when the answer changes. A node counts as healthy before the first call,
   * and again when it is let go: then it is called too, if the node was unhealthy. Not called by `close`.
   */
  readonly onChange: (upstreamKey: string, node: ProbedNode, isHealthy: boolean) => void;
  /** Close the sessions to this node: its checks ask for it. Called after `onChange`. Default: they stay. */
  readonly onCloseSessions?: (upstreamKey: string, node: ProbedNode) => void;
  /** Default: nowhere. */
  readonly log?: Log;
  /** Default: the machine's. */
  readonly clock?: WheelClock;
  /** 0 ≤ x < 1. Default: `Math.random`. */
  readonly random?: () => number;
  /** Probes of all upstreams under way at once; default 256. */
  readonly concurrency?: number;
  /** What https probes trust; default: the authorities of Node. */
  readonly trust?: ProbeTrust;
}

/** The checks of one upstream as the Control API shows them. */
export interface UpstreamHealth {
  /** The upstream's key. */
  readonly name: string;
  /** Of the probes. */
  readonly type: HealthChecks['active']['type'];
  readonly nodes: readonly NodeHealth[];
}

const CONCURRENCY = 256;
/** How long a shortage of this machine is not logged again. Milliseconds. */
const QUIET_MS = 10_000;

/**
 * Watches the nodes of upstreams that have checks: it probes them and counts what sessions report. There is one for the
 * whole gateway. Probes begin when an upstream is followed and end when it is not; one timer paces them all.
 */
export class HealthMonitor {
  readonly #onChange: HealthMonitorOptions['onChange'];
  readonly #onCloseSessions: NonNullable<HealthMonitorOptions['onCloseSessions']>;
  readonly #log: Log;
  readonly #resources: ProbeResources;
  readonly #upstreams = new Map<string, CheckedUpstream>();
  #quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: HealthMonitorOptions) {
    const { onChange, log = () => {}, clock = systemClock, random = Math.random, trust = {} } = options;
    this.#onChange = onChange;
    this.#onCloseSessions = options.onCloseSessions ?? (() => {});
    this.#log = log;
    this.#resources = {
      clock,
      wheel: new TimerWheel(clock),
      queue: new ProbeQueue(options.concurrency ?? CONCURRENCY),
      random,
      trust,
      onShortage: (errno) => this.#onShortage(errno),
    };
  }

  /**
   * Checks an upstream from now on, or checks it in this way from now on: nodes that stay keep what is known about
   * them, unless the checks themselves changed; then every node starts over.
   */
  follow(upstreamKey: string, upstream: UpstreamChecks): void {
    let checked = this.#upstreams.get(upstreamKey);
    if (checked?.differsFrom(upstream) === true) {
      this.unfollow(upstreamKey);
      checked = undefined;
    }
    checked ??= this.#begin(upstreamKey, upstream);
    this.#letGo(upstreamKey, checked.setNodes(upstream.nodes));
  }

  /** Ends the checks of an upstream; one that is not followed is left alone. */
  unfollow(upstreamKey: string): void {
    const checked = this.#upstreams.get(upstreamKey);
    if (checked === undefined) return;
    this.#upstreams.delete(upstreamKey);
    this.#letGo(upstreamKey, checked.setNodes([]));
  }

  /** What a session found out about a node. Upstreams and nodes that are not followed are passed over. */
  reportPassive(upstreamKey: string, node: ProbedNode, kind: HealthReport): void {
    this.#upstreams.get(upstreamKey)?.reportPassive(node, kind);
  }

  /** Every upstream followed. */
  status(): readonly UpstreamHealth[] {
    return Array.from(this.#upstreams, ([name, checked]) => ({
      name,
      type: checked.type,
      nodes: [...checked.nodes()],
    }));
  }

  /** One of them; undefined when it is not followed. */
  statusOf(upstreamKey: string): UpstreamHealth | undefined {
    const checked = this.#upstreams.get(upstreamKey);
    return checked && { name: upstreamKey, type: checked.type, nodes: [...checked.nodes()] };
  }

  /** The nodes of every upstream followed, with its key. Others may have their turns between two of them. */
  *nodes(): Iterable<readonly [upstreamKey: string, node: NodeHealth]> {
    for (const [name, checked] of this.#upstreams) {
      for (const node of checked.nodes()) yield [name, node];
    }
  }

  /** Cuts every probe and forgets every upstream. Idempotent. */
  close(): void {
    for (const checked of this.#upstreams.values()) checked.setNodes([]);
    this.#upstreams.clear();
  }

  #begin(upstreamKey: string, upstream: UpstreamChecks): CheckedUpstream {
    for (const header of unsendableHeaders(upstream.checks.active)) {
      this.#log('warn', 'a header of a health check cannot be sent', { upstream: upstreamKey, header });
    }
    const checked = new CheckedUpstream(upstream, this.#resources, (node, flip) => {
      this.#onFlip(upstreamKey, node, flip);
      if (!flip.isHealthy && checked.closesSessions) this.#onCloseSessions(upstreamKey, node);
    });
    this.#upstreams.set(upstreamKey, checked);
    return checked;
  }

  #onFlip(upstreamKey: string, node: ProbedNode, { isHealthy, report, source }: HealthFlip): void {
    const [level, message] = isHealthy
      ? (['notice', 'a node is healthy again'] as const)
      : (['warn', 'a node is unhealthy'] as const);
    const { host, address, port } = node;
    this.#log(level, message, { upstream: upstreamKey, host, address, port, report, source });
    this.#onChange(upstreamKey, node, isHealthy);
  }

  #onShortage(errno: string): void {
    const nowMs = this.#resources.clock.nowMs();
    if (nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + QUIET_MS;
    this.#log('error', 'nodes cannot be probed', { code: 'GATEWAY_EXHAUSTED', errno });
  }

  #letGo(upstreamKey: string, unhealthy: readonly ProbedNode[]): void {
    for (const node of unhealthy) this.#onChange(upstreamKey, node, true);
  }
}
