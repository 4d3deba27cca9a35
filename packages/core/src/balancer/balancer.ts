import type { UpstreamNode } from '../upstream/upstream-node.ts';

/** One session's search for a node. */
export interface Attempt {
  /** Nodes this session already failed to reach. */
  readonly tried: ReadonlySet<UpstreamNode>;
}

/** Chooses among the nodes of one priority. Asked on every attempt: it never throws, waits or allocates. */
export interface Balancer {
  /** @returns undefined when every usable node was tried. */
  pick(attempt: Attempt): UpstreamNode | undefined;
}

export interface BalancerOptions {
  /** A number from 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** A way of balancing, as `upstream.type` names it. `create` runs when an upstream changes. */
export interface BalancerKind {
  readonly name: string;
  /** @param nodes at least one, all of the same priority. */
  create(nodes: readonly UpstreamNode[], options?: BalancerOptions): Balancer;
}
