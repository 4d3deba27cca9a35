import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer, BalancerKind, BalancerOptions } from './balancer.ts';

/** A balancer for each priority, higher first; the next one is asked when all nodes of the one before were tried. */
export function createTiers(
  kind: BalancerKind,
  nodes: readonly UpstreamNode[],
  options?: BalancerOptions,
): Balancer {
  const byPriority = Map.groupBy(nodes, (node) => node.priority);
  const tiers = [...byPriority]
    .sort(([a], [b]) => b - a)
    .map(([, tierNodes]) => kind.create(tierNodes, options));

  const [only] = tiers;
  if (tiers.length === 1 && only !== undefined) return only;
  return {
    pick(attempt: Attempt) {
      for (const tier of tiers) {
        const node = tier.pick(attempt);
        if (node !== undefined) return node;
      }
      return undefined;
    },
  };
}
