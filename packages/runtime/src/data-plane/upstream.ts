import { LocalNodeLoad, balancerKinds, createTiers, roundRobin } from '@apisix-ts/core';
import type { Balancer, BalancerKind } from '@apisix-ts/core';
import type { NodeFacts, UpstreamFacts } from '../facts/facts.ts';

const kindsByName: ReadonlyMap<string, BalancerKind> = new Map(
  balancerKinds.map((kind) => [kind.name, kind]),
);

/** An upstream in a worker. Its balancer is built by the first session that needs it, so unused ones cost little. */
export class Upstream {
  #facts: UpstreamFacts;
  #balancer: Balancer | undefined;

  constructor(facts: UpstreamFacts) {
    this.#facts = facts;
  }

  get facts(): UpstreamFacts {
    return this.#facts;
  }

  get balancer(): Balancer {
    this.#balancer ??= createTiers(
      this.#kind(),
      this.#facts.nodes.map((node) => ({ ...node, load: new LocalNodeLoad() })),
    );
    return this.#balancer;
  }

  /** Attempts one session may make: the first and its retries. */
  get attempts(): number {
    return 1 + (this.#facts.retries ?? this.#facts.nodes.length - 1);
  }

  /** Takes new facts. The balancer goes on where it was unless its nodes or its kind changed. */
  update(facts: UpstreamFacts): void {
    const isSameBalancing = facts.type === this.#facts.type && areSameNodes(facts.nodes, this.#facts.nodes);
    this.#facts = isSameBalancing ? { ...facts, nodes: this.#facts.nodes } : facts;
    if (!isSameBalancing) this.#balancer = undefined;
  }

  /** A type found stored that does not exist here is balanced in turn; the main thread has logged it. */
  #kind(): BalancerKind {
    return kindsByName.get(this.#facts.type) ?? roundRobin;
  }
}

function areSameNodes(left: readonly NodeFacts[], right: readonly NodeFacts[]): boolean {
  return left.length === right.length && left.every((node, index) => isSameNode(node, right[index]));
}

function isSameNode(left: NodeFacts, right: NodeFacts | undefined): boolean {
  return (
    right !== undefined &&
    left.host === right.host &&
    left.address === right.address &&
    left.port === right.port &&
    left.weight === right.weight &&
    left.priority === right.priority
  );
}
