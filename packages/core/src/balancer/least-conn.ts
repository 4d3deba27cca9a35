import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer, BalancerKind } from './balancer.ts';
import { openAmong } from './open-nodes.ts';
import { separateWeightless, shareOf } from './weights.ts';

/**
 * Fewest open sessions per unit of weight, this one included: (active + 1) / weight. Nodes that tie take turns. Weight
 * 0 is a last resort: a session that has tried all the others gets it, as in APISIX.
 */
export const leastConn: BalancerKind = {
  name: 'least_conn',
  create(nodes, { random = Math.random } = {}) {
    return separateWeightless(
      nodes,
      (group) => new LeastConnections(group, Math.floor(random() * group.length)),
      { isRetriedWith: true },
    );
  },
};

class LeastConnections implements Balancer {
  readonly #nodes: readonly UpstreamNode[];
  /** Where to look first, so that a tie goes to the next node, not always to the same. */
  #turn: number;
  /** The same for further attempts: with one turn for both, the neighbour of a dead node would get all its sessions. */
  #retryTurn: number;

  constructor(nodes: readonly UpstreamNode[], turn: number) {
    this.#nodes = nodes;
    this.#turn = turn;
    this.#retryTurn = turn;
  }

  pick({ tried }: Attempt): UpstreamNode | undefined {
    const nodes = this.#nodes;
    const isRetry = tried.size > 0;
    const best = this.#cheapest(isRetry ? this.#retryTurn : this.#turn, tried);
    if (best === undefined) return undefined;
    const next = best + 1 === nodes.length ? 0 : best + 1;
    if (isRetry) this.#retryTurn = next;
    else this.#turn = next;
    return nodes[best];
  }

  /** @returns the index of the open node that costs least, counting from `turn` on the first of equals. */
  #cheapest(turn: number, tried: ReadonlySet<UpstreamNode>): number | undefined {
    const nodes = this.#nodes;
    const isOpen = openAmong(nodes);
    let best: number | undefined;
    let bestCost = Infinity;
    for (let step = 0, index = turn; step < nodes.length; step++) {
      const node = nodes[index];
      if (node !== undefined && isOpen(node, tried)) {
        const cost = (node.load.active + 1) / shareOf(node);
        if (cost < bestCost) {
          best = index;
          bestCost = cost;
        }
      }
      index = index + 1 === nodes.length ? 0 : index + 1;
    }
    return best;
  }
}
