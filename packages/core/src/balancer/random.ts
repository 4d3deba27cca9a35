import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { BalancerKind } from './balancer.ts';
import { TwoChoices } from './two-choices.ts';
import { separateWeightless, shareOf } from './weights.ts';

/**
 * Of two nodes drawn by weight the one with fewer open sessions per unit of weight. Idle nodes tie, and are then used
 * as often as their weights say.
 */
export const random: BalancerKind = {
  name: 'random',
  create(nodes, { random: draw = Math.random } = {}) {
    return separateWeightless(nodes, (group) => new TwoChoices(group, draw, sessionsPerWeight));
  },
};

function sessionsPerWeight(node: UpstreamNode): number {
  return node.load.active / shareOf(node);
}
