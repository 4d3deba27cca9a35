import type { UpstreamNode } from '../upstream/upstream-node.ts';
import type { Attempt, Balancer, BalancerKind } from './balancer.ts';
import { crc32 } from './crc32.ts';
import { KetamaRing } from './ketama-ring.ts';
import { openAmong } from './open-nodes.ts';
import type { IsOpen } from './open-nodes.ts';
import { separateWeightless } from './weights.ts';

/**
 * Consistent hashing: a key keeps its node, and when nodes come, go, fail or recover only their own keys move. The
 * ring holds all nodes; unhealthy and tried ones are walked past, so their keys spread over all the others.
 */
export const chash: BalancerKind = {
  name: 'chash',
  create(nodes) {
    return separateWeightless(nodes, (group) => new ConsistentHash(group));
  },
};

class ConsistentHash implements Balancer {
  readonly #nodes: readonly UpstreamNode[];
  #builtRing: KetamaRing | undefined;

  constructor(nodes: readonly UpstreamNode[]) {
    this.#nodes = nodes;
  }

  pick({ tried, key = '' }: Attempt): UpstreamNode | undefined {
    const isOpen = openAmong(this.#nodes);
    const start = this.#ring.find(crc32(key));
    const node = this.#ring.nodeAt(start);
    if (node !== undefined && isOpen(node, tried)) return node;
    return this.#hasOpen(isOpen, tried) ? this.#walk(start, isOpen, tried) : undefined;
  }

  /** Built by the first session: most nodes of weight 0 are never asked for one. */
  get #ring(): KetamaRing {
    this.#builtRing ??= new KetamaRing(this.#nodes);
    return this.#builtRing;
  }

  /** A ring has many more points than nodes; without an open one the walk would see them all. */
  #hasOpen(isOpen: IsOpen, tried: ReadonlySet<UpstreamNode>): boolean {
    for (const node of this.#nodes) if (isOpen(node, tried)) return true;
    return false;
  }

  #walk(start: number, isOpen: IsOpen, tried: ReadonlySet<UpstreamNode>): UpstreamNode | undefined {
    const { size } = this.#ring;
    for (let step = 1, position = start; step < size; step++) {
      position = position + 1 === size ? 0 : position + 1;
      const node = this.#ring.nodeAt(position);
      if (node !== undefined && isOpen(node, tried)) return node;
    }
    return undefined;
  }
}
