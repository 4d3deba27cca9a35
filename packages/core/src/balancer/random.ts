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
    return separateWeightless(nodes, (group) => new TwoChoices(group, draw(), hasFewerSessions));
  },
};

/** For its weight. */
function hasFewerSessions(node: UpstreamNode, than: UpstreamNode): boolean {
  return node.load.active / shareOf(node) < than.load.active / shareOf(than);
}
