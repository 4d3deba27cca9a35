import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UpstreamNode } from '../upstream/upstream-node.ts';
import { roundRobin } from './round-robin.ts';
import { createTiers } from './tiers.ts';

function node(address: string, { weight = 1, priority = 0 } = {}): UpstreamNode {
  return { host: address, address, port: 3306, weight, priority };
}

function picks(count: number, nodes: readonly UpstreamNode[], random = () => 0): string {
  const balancer = roundRobin.create(nodes, { random });
  const tried = new Set<UpstreamNode>();
  return Array.from({ length: count }, () => balancer.pick({ tried })?.address).join(' ');
}

describe('round robin', () => {
  test('gives equal nodes their turn in order', () => {
    expect(picks(5, [node('a'), node('b'), node('c')])).toBe('a b c a b');
  });

  test('spreads the turns of a heavy node', () => {
    expect(picks(7, [node('a', { weight: 5 }), node('b'), node('c')])).toBe('a a b a c a a');
  });

  test('never picks weight 0 beside a positive weight', () => {
    expect(picks(4, [node('a', { weight: 0 }), node('b')])).toBe('b b b b');
  });

  test('lets nodes whose weights are all 0 take turns', () => {
    expect(picks(3, [node('a', { weight: 0 }), node('b', { weight: 0 })])).toBe('a b a');
  });

  test('begins at a random node', () => {
    const nodes = [node('a'), node('b'), node('c')];

    expect(picks(3, nodes, () => 0.34)).toBe('b c a');
    expect(picks(3, nodes, () => 0.99)).toBe('c a b');
  });

  test('skips tried nodes and gives up when all were', () => {
    const [a, b] = [node('a'), node('b')];
    const balancer = roundRobin.create([a, b], { random: () => 0 });

    expect(balancer.pick({ tried: new Set([a]) })).toBe(b);
    expect(balancer.pick({ tried: new Set([a, b]) })).toBeUndefined();
  });

  test('picks each node as often as its weight in every run as long as their sum', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 });

    fc.assert(
      fc.property(
        weights,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.nat(30),
        (all, random, skipped) => {
          const sum = all.reduce((total, weight) => total + weight, 0);
          fc.pre(sum > 0);
          const balancer = roundRobin.create(
            all.map((weight, index) => node(String(index), { weight })),
            { random: () => random },
          );
          const next = (): number => Number(balancer.pick({ tried: new Set() })?.address);
          for (let count = 0; count < skipped; count++) next();

          const counts = all.map(() => 0);
          for (let count = 0; count < sum; count++) {
            const index = next();
            counts[index] = (counts[index] ?? 0) + 1;
          }

          expect(counts).toEqual(all);
        },
      ),
    );
  });
});

describe('priorities', () => {
  test('keep lower nodes in reserve until all higher ones were tried', () => {
    const [high, alsoHigh, low] = [node('high', { priority: 1 }), node('also', { priority: 1 }), node('low')];
    const balancer = createTiers(roundRobin, [low, high, alsoHigh], { random: () => 0 });

    expect(balancer.pick({ tried: new Set() })).toBe(high);
    expect(balancer.pick({ tried: new Set([high]) })).toBe(alsoHigh);
    expect(balancer.pick({ tried: new Set([high, alsoHigh]) })).toBe(low);
    expect(balancer.pick({ tried: new Set([high, alsoHigh, low]) })).toBeUndefined();
  });
});
