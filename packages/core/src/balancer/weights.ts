import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Balancer } from './balancer.ts';
import { createReserves } from './reserves.ts';
import type { ReservesOptions } from './reserves.ts';

/**
 * Keeps the nodes of weight 0 apart: they stand in while no node of positive weight is healthy, or exists.
 * @param create gets nodes of positive weight, or only ones of weight 0.
 */
export function separateWeightless(
  nodes: readonly UpstreamNode[],
  create: (nodes: readonly UpstreamNode[]) => Balancer,
  reserves: ReservesOptions = { isRetriedWith: false },
): Balancer {
  const weighted = nodes.filter((node) => node.weight > 0);
  const weightless = nodes.filter((node) => !(node.weight > 0));
  const groups = [weighted, weightless]
    .filter((group) => group.length > 0)
    .map((group) => ({ nodes: group, balancer: create(group) }));
  return createReserves(groups, reserves);
}

/** The weight to reckon with, > 0: nodes of weight 0, among themselves, are equals. */
export function shareOf(node: UpstreamNode): number {
  return node.weight > 0 ? node.weight : 1;
}
