import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer } from './balancer.ts';
import { hasHealthy } from './open-nodes.ts';

export interface NodeGroup {
  readonly nodes: readonly UpstreamNode[];
  readonly balancer: Balancer;
}

export interface ReservesOptions {
  /** Whether a session that has tried all of a group gets a node of the next one. */
  readonly isRetriedWith: boolean;
}

/**
 * Asks the first group; the others stand in for it while it has no healthy node. When no group has one, all count as
 * healthy.
 */
export function createReserves(groups: readonly NodeGroup[], { isRetriedWith }: ReservesOptions): Balancer {
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return only.balancer;
  return {
    pick(attempt: Attempt) {
      const isHealthNeeded = groups.some(isHealthy);
      for (const group of groups) {
        if (isHealthNeeded && !isHealthy(group)) continue;
        const node = group.balancer.pick(attempt);
        if (node !== undefined || !isRetriedWith) return node;
      }
      return undefined;
    },
  };
}

function isHealthy(group: NodeGroup): boolean {
  return hasHealthy(group.nodes);
}
