import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer, BalancerKind } from './balancer.ts';

/**
 * Smooth weighted round robin, as nginx does it: in any run as long as the sum of the weights each node is picked as
 * often as its weight says, and the picks of a heavy node are spread over the run. Weight 0 is never picked beside a
 * positive weight; where all are 0 they take turns. The first node is random, so that many workers or gateways
 * that start together do not all begin at the same one.
 */
export const roundRobin: BalancerKind = {
  name: 'roundrobin',
  create(nodes, { random = Math.random } = {}) {
    const balancer = new SmoothRoundRobin(nodes);
    const skipped = Math.floor(random() * nodes.length);
    for (let count = 0; count < skipped; count++) balancer.pick(FIRST_ATTEMPT);
    return balancer;
  },
};

const FIRST_ATTEMPT: Attempt = { tried: new Set() };

interface Turn {
  readonly node: UpstreamNode;
  readonly weight: number;
  /** Grows by the weight at every pick; the largest is picked and pays back the sum. */
  credit: number;
}

class SmoothRoundRobin implements Balancer {
  readonly #turns: readonly Turn[];

  constructor(nodes: readonly UpstreamNode[]) {
    const weighted = nodes.filter((node) => node.weight > 0);
    this.#turns =
      weighted.length > 0
        ? weighted.map((node) => ({ node, weight: node.weight, credit: 0 }))
        : nodes.map((node) => ({ node, weight: 1, credit: 0 }));
  }

  pick({ tried }: Attempt): UpstreamNode | undefined {
    let best: Turn | undefined;
    let sum = 0;
    for (const turn of this.#turns) {
      if (tried.has(turn.node)) continue;
      turn.credit += turn.weight;
      sum += turn.weight;
      if (best === undefined || turn.credit > best.credit) best = turn;
    }
    if (best === undefined) return undefined;
    best.credit -= sum;
    return best.node;
  }
}
