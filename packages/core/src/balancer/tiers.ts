import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Balancer, BalancerKind, BalancerOptions } from './balancer.ts';
import { createReserves } from './reserves.ts';

/**
 * A balancer for each priority, higher first. The next one is asked when all nodes of the one before were tried, or
 * none of them is healthy.
 */
export function createTiers(
  kind: BalancerKind,
  nodes: readonly UpstreamNode[],
  options?: BalancerOptions,
): Balancer {
  const tiers = [...Map.groupBy(nodes, (node) => node.priority)]
    .sort(([a], [b]) => b - a)
    .map(([, tierNodes]) => ({ nodes: tierNodes, balancer: kind.create(tierNodes, options) }));
  return createReserves(tiers, { isRetriedWith: true });
}
