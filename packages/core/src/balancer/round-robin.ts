import type { NodeTurn, UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer, BalancerKind } from './balancer.ts';
import { openAmong } from './open-nodes.ts';
import { separateWeightless, shareOf } from './weights.ts';

/**
 * Smooth weighted round robin, as nginx does it: in any run as long as the sum of the weights each node is picked as
 * often as its weight says, and the picks of a heavy node are spread over the run. The first node is random, so that
 * many workers or gateways that start together do not all begin at the same one. When nodes come, go or change their
 * weights, those that stay keep their places.
 */
export const roundRobin: BalancerKind = {
  name: 'roundrobin',
  create(nodes, { random = Math.random } = {}) {
    return separateWeightless(nodes, (group) => {
      const isNew = group.every(({ turn }) => turn === undefined);
      const balancer = new SmoothRoundRobin(group);
      const skipped = isNew ? Math.floor(random() * group.length) : 0;
      for (let count = 0; count < skipped; count++) balancer.pick(FIRST_ATTEMPT);
      return balancer;
    });
  },
};

const FIRST_ATTEMPT: Attempt = { tried: new Set(), key: undefined };

interface Turn extends NodeTurn {
  readonly node: UpstreamNode;
}

class SmoothRoundRobin implements Balancer {
  readonly #nodes: readonly UpstreamNode[];
  readonly #turns: readonly Turn[];

  constructor(nodes: readonly UpstreamNode[]) {
    this.#nodes = nodes;
    this.#turns = takeTurns(nodes);
  }

  pick({ tried }: Attempt): UpstreamNode | undefined {
    const isOpen = openAmong(this.#nodes);
    let best: Turn | undefined;
    let sum = 0;
    for (const turn of this.#turns) {
      if (!isOpen(turn.node, tried)) continue;
      turn.credit += turn.share;
      sum += turn.share;
      if (best === undefined || turn.credit > best.credit) best = turn;
    }
    if (best === undefined) return undefined;
    best.credit -= sum;
    return best.node;
  }
}

/**
 * The turns of nodes, some of which may have had one before. Credits are worth as many turns under a new weight, and
 * those of the nodes that stay are brought back to a sum of 0, so that a new node neither waits nor gets a row of picks.
 */
function takeTurns(nodes: readonly UpstreamNode[]): readonly Turn[] {
  const staying = nodes.filter(({ turn }) => turn !== undefined);
  const credits = new Map(staying.map((node) => [node, creditOf(node)]));
  const surplus =
    [...credits.values()].reduce((sum, credit) => sum + credit, 0) / Math.max(staying.length, 1);
  return nodes.map((node) => {
    const credit = credits.get(node);
    const turn: Turn = { node, share: shareOf(node), credit: credit === undefined ? 0 : credit - surplus };
    node.turn = turn;
    return turn;
  });
}

function creditOf(node: UpstreamNode): number {
  const { turn } = node;
  return turn === undefined ? 0 : turn.credit * (shareOf(node) / turn.share);
}
