import { describe, expect, test } from 'vitest';
import { testBalancer } from '../contract/balancer.ts';
import { attempt, createSeededRandom, pickFrom, sceneNode } from '../contract/balancer-scene.ts';
import type { SceneNode } from '../contract/balancer-scene.ts';
import { ewma } from './ewma.ts';

testBalancer(ewma);

/** Lets sessions come and go one after the other. @returns how many each node got. */
function run(
  sessions: number,
  nodes: readonly SceneNode[],
  connect: (node: SceneNode) => void,
  pass: () => void,
): number[] {
  const balancer = ewma.create(nodes, { random: createSeededRandom() });
  const picked = Array.from({ length: sessions }, () => {
    const node = pickFrom(nodes, balancer);
    node?.load.begin();
    if (node !== undefined) connect(node);
    node?.load.end();
    pass();
    return node;
  });
  return nodes.map((node) => picked.filter((each) => each === node).length);
}

function pickOnce(nodes: readonly SceneNode[]): string | undefined {
  return ewma.create(nodes, { random: createSeededRandom() }).pick(attempt())?.address;
}

describe('ewma', () => {
  test.for([
    ['the node that is reached faster', { connectMs: 5 }, { connectMs: 2 }, 'b'],
    ['the slower one once the faster has more to do', { connectMs: 5 }, { connectMs: 2, active: 4 }, 'a'],
    ['the heavier of two alike', { connectMs: 2, weight: 3 }, { connectMs: 2 }, 'a'],
    ['the idle one when both are too near to measure', { connectMs: 0.02 }, { connectMs: 0, active: 1 }, 'a'],
    ['one that nobody has tried', { connectMs: 1 }, {}, 'b'],
    [
      'none where a first connection is still being made',
      { connectMs: 5000, active: 99 },
      { active: 1 },
      'a',
    ],
    ['the less busy where nothing is ever measured', { active: 4 }, { active: 3 }, 'b'],
  ] as const)('prefers %s', ([, a, b, expected]) => {
    expect(pickOnce([sceneNode('a', a), sceneNode('b', b)])).toBe(expected);
  });

  test('lets one session at a time find out about a new node', () => {
    const [known, fresh] = [sceneNode('known', { connectMs: 1 }), sceneNode('new')];
    const balancer = ewma.create([known, fresh], { random: createSeededRandom() });

    const burst = Array.from({ length: 20 }, () => {
      const node = pickFrom([known, fresh], balancer);
      node?.load.begin();
      return node;
    });

    expect(burst.filter((node) => node === fresh)).toHaveLength(1);
  });

  test('tries every node, and then nearly only the fast ones', () => {
    let nowMs = 0;
    const nodes = ['fast', 'quick', 'slow'].map((address) => sceneNode(address, { nowMs: () => nowMs }));
    const tookMs: Record<string, number> = { fast: 1, quick: 1, slow: 40 };

    const counts = run(
      6000,
      nodes,
      (node) => node.load.connected(tookMs[node.address] ?? 0),
      () => (nowMs += 10),
    );

    // A minute of sessions: the slow one is asked again whenever its average was discounted to that of the others.
    expect(counts[2]).toBeGreaterThanOrEqual(2);
    expect(counts[2]).toBeLessThan(20);
  });

  test('leaves a node alone that refuses at once, and finds it again', () => {
    let nowMs = 0;
    let isRefusing = true;
    const nodes = ['good', 'bad'].map((address) => sceneNode(address, { nowMs: () => nowMs }));
    const connect = (node: SceneNode): void => {
      if (node.address === 'bad' && isRefusing) node.load.failed(0.05);
      else node.load.connected(1);
    };
    const pass = (): void => void (nowMs += 10);

    const [, whileRefusing] = run(6000, nodes, connect, pass);
    isRefusing = false;
    const [, afterwards] = run(12_000, nodes, connect, pass);

    expect(whileRefusing).toBeLessThan(5);
    expect(afterwards).toBeGreaterThan(1000);
  });
});
