import type { UpstreamNode } from '../upstream/upstream-node.ts';

/** One session's search for a node. */
export interface Attempt {
  /** Nodes this session already failed to reach. */
  readonly tried: ReadonlySet<UpstreamNode>;
  /**
   * What a hashing balancer hashes, the same at each attempt of a session; the others do not ask for it. Without one
   * all sessions look alike to it: where the configured key has no value, give the client's address.
   */
  readonly key: string | undefined;
}

/**
 * Chooses among the nodes of an upstream. Asked on every attempt: it never throws, waits or allocates, and its cost
 * grows at most with the number of nodes. It sees a change of a node's load or health at once. Unhealthy nodes are
 * skipped while one is healthy; when none is, all are used.
 */
export interface Balancer {
  /** @returns undefined when every usable node was tried. */
  pick(attempt: Attempt): UpstreamNode | undefined;
}

export interface BalancerOptions {
  /** A number from 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * A way of balancing, as `upstream.type` names it. `create` runs when an upstream changes. `testBalancer` of
 * `@apisix-ts/core/contract` is the definition in code.
 */
export interface BalancerKind {
  readonly name: string;
  /** @param nodes at least one, all of the same priority. */
  create(nodes: readonly UpstreamNode[], options?: BalancerOptions): Balancer;
}
