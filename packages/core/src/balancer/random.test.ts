import { describe, expect, test } from 'vitest';
import { testBalancer } from '../contract/balancer.ts';
import { attempt, createSeededRandom, pickFrom, sceneNode } from '../contract/balancer-scene.ts';
import type { SceneNode } from '../contract/balancer-scene.ts';
import { random } from './random.ts';

testBalancer(random);

/** How often each node is picked by sessions that end before the next one begins. */
function idlePicks(times: number, nodes: readonly SceneNode[], tried: readonly SceneNode[] = []): number[] {
  const balancer = random.create(nodes, { random: createSeededRandom() });
  const picked = Array.from({ length: times }, () => balancer.pick(attempt(tried)));
  return nodes.map((node) => picked.filter((each) => each === node).length);
}

describe('random', () => {
  test.for([
    [
      [1, 1, 1, 1],
      [250, 250, 250, 250],
    ],
    [
      [1, 3],
      [250, 750],
    ],
    [
      [1, 2, 5, 0],
      [125, 250, 625, 0],
    ],
  ] as const)('idle nodes of weights %j get sessions in proportion', ([weights, expected]) => {
    const nodes = weights.map((weight, index) => sceneNode(String(index), { weight }));

    const counts = idlePicks(10_000, nodes).map((count) => Math.round(count / 10));

    for (const [index, count] of counts.entries()) {
      expect(Math.abs(count - (expected[index] ?? 0))).toBeLessThan(25);
    }
  });

  test('keeps the proportions of what is left when nearly all were tried or are unhealthy', () => {
    const nodes = Array.from({ length: 100 }, (_, index) =>
      sceneNode(String(index), { weight: index === 7 ? 3 : 1, isHealthy: index < 50 }),
    );

    const counts = idlePicks(
      4000,
      nodes,
      nodes.filter((_, index) => index > 8 || index < 7),
    );

    expect(counts.filter((count) => count > 0)).toHaveLength(2);
    expect(Math.abs((counts[7] ?? 0) - 3000)).toBeLessThan(100);
  });

  test('of two nodes takes the one with fewer sessions for its weight', () => {
    const [light, heavy] = [sceneNode('a', { active: 2 }), sceneNode('b', { weight: 4, active: 7 })];

    expect(idlePicks(100, [light, heavy])).toEqual([0, 100]);
  });

  test('keeps open sessions far more even than chance would', () => {
    const nodes = Array.from({ length: 50 }, (_, index) => sceneNode(String(index)));
    const balancer = random.create(nodes, { random: createSeededRandom() });
    for (let session = 0; session < 50_000; session++) {
      pickFrom(nodes, balancer)?.load.begin();
    }

    // Chance alone spreads them from about 930 to 1 070.
    for (const node of nodes) expect(Math.abs(node.load.active - 1000)).toBeLessThan(8);
  });
});
