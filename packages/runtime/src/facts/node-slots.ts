import type { NodeIdentity } from '../workers/worker-link.ts';
import type { NodeFacts } from './facts.ts';

/** Where slots for the loads of nodes come from; `SharedNodeLoads` is one. */
export interface SlotSource {
  /** The slot of a node, the same one until `release`. */
  slotOf(node: string): number;
  release(node: string): void;
}

/** Gives each node of each upstream its slot, and takes back those of nodes that went. */
export class NodeSlots {
  readonly #source: SlotSource;
  readonly #held = new Map<string, readonly string[]>();

  constructor(source: SlotSource) {
    this.#source = source;
  }

  /** @param nodes all that the upstream has from now on; empty when it is gone. */
  assign(upstreamKey: string, nodes: readonly Omit<NodeFacts, 'slot'>[]): readonly NodeFacts[] {
    const names = nodes.map(({ host, address, port }) => nodeName(upstreamKey, host, address, port));
    const slots = names.map((name) => this.#source.slotOf(name));
    for (const former of this.#held.get(upstreamKey) ?? []) {
      if (!names.includes(former)) this.#source.release(former);
    }
    if (names.length === 0) this.#held.delete(upstreamKey);
    else this.#held.set(upstreamKey, names);
    return nodes.map((node, index) => ({ ...node, slot: slots[index] ?? 0 }));
  }
}

/** The node of such a name: its upstream is left out. */
export function nodeOfName(name: string): NodeIdentity {
  const [port = '', address = '', host = ''] = name.split(' ').reverse();
  return { host, address, port: Number(port) };
}

/** What a node is called in all of the gateway: the same address is another node in another upstream. */
export function nodeName(upstreamKey: string, host: string, address: string, port: number): string {
  return `${upstreamKey} ${host} ${address} ${port}`;
}
