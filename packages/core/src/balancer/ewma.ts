import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { BalancerKind } from './balancer.ts';
import { TwoChoices } from './two-choices.ts';
import { separateWeightless, shareOf } from './weights.ts';

/**
 * Of two nodes drawn by weight the one with the lower connectMs · (active + 1) / weight: how long it takes to be
 * reached, times how much it already has to do. The time is the only one a gateway sees of an opaque protocol.
 */
export const ewma: BalancerKind = {
  name: 'ewma',
  create(nodes, { random = Math.random } = {}) {
    return separateWeightless(nodes, (group) => new TwoChoices(group, random(), isReachedCheaper));
  },
};

function isReachedCheaper(node: UpstreamNode, than: UpstreamNode): boolean {
  return connectCost(node) < connectCost(than);
}

/** Below this a difference says nothing about a node, and the load shall always count. Milliseconds. */
const LEAST_MS = 0.1;

/** Stands for the time of a node whose first connection is still being made: longer than any measured. */
const UNKNOWN_MS = 1e12;

/**
 * A node without a measurement is the best while nobody tries it, so that one comes soon, and the last while somebody
 * does, so that only one session at a time finds out. Where nothing is ever measured (UDP) the load alone decides.
 */
function connectCost(node: UpstreamNode): number {
  const { active, connectMs } = node.load;
  if (connectMs === undefined && active === 0) return 0;
  const ms = connectMs === undefined ? UNKNOWN_MS : Math.max(connectMs, LEAST_MS);
  return (ms * (active + 1)) / shareOf(node);
}
