import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer } from './balancer.ts';
import { openAmong } from './open-nodes.ts';
import type { IsOpen } from './open-nodes.ts';
import { shareOf } from './weights.ts';

/** Whether the one node should be preferred. A boolean, because V8 may have to allocate a number that is returned. */
export type IsCheaper = (node: UpstreamNode, than: UpstreamNode) => boolean;

/**
 * Draws two different nodes, each with a chance in proportion to its weight, and takes the cheaper; of equals the one
 * that was drawn first, so that their shares are those of the weights. Nearly as good as comparing all
 * (Mitzenmacher, "The power of two choices in randomized load balancing", 2001), at a cost that hardly grows with
 * their number, and no herd runs after the one that looks best.
 */
export class TwoChoices implements Balancer {
  readonly #nodes: readonly UpstreamNode[];
  readonly #isCheaper: IsCheaper;
  /** The last random number of an xorshift generator (Marsaglia 2003): unlike a call of `random` it allocates nothing. */
  readonly #drawn: Uint32Array;
  /** The sum of the weights up to and including each node. */
  readonly #sums: Float64Array;

  /** @param seed from 0 up to, but not including, 1. */
  constructor(nodes: readonly UpstreamNode[], seed: number, isCheaper: IsCheaper) {
    this.#nodes = nodes;
    this.#isCheaper = isCheaper;
    this.#drawn = Uint32Array.of(1 + seed * 0xffff_fffe);
    let sum = 0;
    this.#sums = Float64Array.from(nodes, (node) => (sum += shareOf(node)));
  }

  pick({ tried }: Attempt): UpstreamNode | undefined {
    const isOpen = openAmong(this.#nodes);
    const first = this.#draw(isOpen, tried, undefined);
    if (first === undefined) return undefined;
    const second = this.#draw(isOpen, tried, first);
    if (second === undefined) return first;
    return this.#isCheaper(second, first) ? second : first;
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

  /** From 0 up to, but not including, 1. */
  #random(): number {
    let bits = this.#drawn[0] ?? 1;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.#drawn[0] = bits;
    return (bits >>> 0) / 2 ** 32;
  }
}
