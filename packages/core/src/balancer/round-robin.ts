import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer, BalancerKind } from './balancer.ts';
import { openAmong } from './open-nodes.ts';
import { separateWeightless, shareOf } from './weights.ts';

/**
 * Smooth weighted round robin, as nginx does it: in any run as long as the sum of the weights each node is picked as
 * often as its weight says, and the picks of a heavy node are spread over the run. The first node is random, so that
 * many workers or gateways that start together do not all begin at the same one.
 */
export const roundRobin: BalancerKind = {
  name: 'roundrobin',
  create(nodes, { random = Math.random } = {}) {
    return separateWeightless(nodes, (group) => {
      const balancer = new SmoothRoundRobin(group);
      const skipped = Math.floor(random() * group.length);
      for (let count = 0; count < skipped; count++) balancer.pick(FIRST_ATTEMPT);
      return balancer;
    });
  },
};

const FIRST_ATTEMPT: Attempt = { tried: new Set(), key: undefined };

interface Turn {
  readonly node: UpstreamNode;
  readonly weight: number;
  /** Grows by the weight at every pick; the largest is picked and pays back the sum. */
  credit: number;
}

class SmoothRoundRobin implements Balancer {
  readonly #nodes: readonly UpstreamNode[];
  readonly #turns: readonly Turn[];

  constructor(nodes: readonly UpstreamNode[]) {
    this.#nodes = nodes;
    this.#turns = nodes.map((node) => ({ node, weight: shareOf(node), credit: 0 }));
  }

  pick({ tried }: Attempt): UpstreamNode | undefined {
    const isOpen = openAmong(this.#nodes);
    let best: Turn | undefined;
    let sum = 0;
    for (const turn of this.#turns) {
      if (!isOpen(turn.node, tried)) continue;
      turn.credit += turn.weight;
      sum += turn.weight;
      if (best === undefined || turn.credit > best.credit) best = turn;
    }
    if (best === undefined) return undefined;
    best.credit -= sum;
    return best.node;
  }
}
