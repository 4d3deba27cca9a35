import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer } from './balancer.ts';
import { openAmong } from './open-nodes.ts';
import type { IsOpen } from './open-nodes.ts';
import { shareOf } from './weights.ts';

/** What choosing a node costs, lower is better. */
export type NodeCost = (node: UpstreamNode) => number;

/**
 * Draws two different nodes, each with a chance in proportion to its weight, and takes the cheaper; of equals the one
 * that was drawn first, so that their shares are those of the weights. Nearly as good as comparing all
 * (Mitzenmacher, "The power of two choices in randomized load balancing", 2001), at a cost that hardly grows with
 * their number, and no herd runs after the one that looks best.
 */
export class TwoChoices implements Balancer {
  readonly #nodes: readonly UpstreamNode[];
  readonly #random: () => number;
  readonly #cost: NodeCost;
  /** The sum of the weights up to and including each node. */
  readonly #sums: Float64Array;

  constructor(nodes: readonly UpstreamNode[], random: () => number, cost: NodeCost) {
    this.#nodes = nodes;
    this.#random = random;
    this.#cost = cost;
    let sum = 0;
    this.#sums = Float64Array.from(nodes, (node) => (sum += shareOf(node)));
  }

  pick({ tried }: Attempt): UpstreamNode | undefined {
    const isOpen = openAmong(this.#nodes);
    const first = this.#draw(isOpen, tried, undefined);
    if (first === undefined) return undefined;
    const second = this.#draw(isOpen, tried, first);
    if (second === undefined) return first;
    return this.#cost(second) < this.#cost(first) ? second : first;
  }

  /** Open ones other than `except`. A few blind draws nearly always hit one, and look at few nodes. */
  #draw(
    isOpen: IsOpen,
    tried: ReadonlySet<UpstreamNode>,
    except: UpstreamNode | undefined,
  ): UpstreamNode | undefined {
    for (let draws = 0; draws < 4; draws++) {
      const node = this.#drawAny();
      if (node !== undefined && node !== except && isOpen(node, tried)) return node;
    }
    return this.#drawOpen(isOpen, tried, except);
  }

  #drawAny(): UpstreamNode | undefined {
    const sums = this.#sums;
    const target = this.#random() * (sums[sums.length - 1] ?? 0);
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return this.#nodes[low];
  }

  #drawOpen(
    isOpen: IsOpen,
    tried: ReadonlySet<UpstreamNode>,
    except: UpstreamNode | undefined,
  ): UpstreamNode | undefined {
    let sum = 0;
    for (const node of this.#nodes) if (node !== except && isOpen(node, tried)) sum += shareOf(node);
    let target = this.#random() * sum;
    let last: UpstreamNode | undefined;
    for (const node of this.#nodes) {
      if (node === except || !isOpen(node, tried)) continue;
      last = node;
      target -= shareOf(node);
      if (target < 0) break;
    }
    return last;
  }
}
