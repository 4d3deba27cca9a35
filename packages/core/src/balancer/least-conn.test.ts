import { describe, expect, test } from 'vitest';
import { testBalancer } from '../contract/balancer.ts';
import { attempt, pickFrom, sceneNode } from '../contract/balancer-scene.ts';
import type { SceneNode } from '../contract/balancer-scene.ts';
import { leastConn } from './least-conn.ts';

testBalancer(leastConn, { isWeightlessLastResort: true });

/** Picks one node after the other; the sessions stay open. */
function open(count: number, nodes: readonly SceneNode[], random = () => 0): string {
  const balancer = leastConn.create(nodes, { random });
  return Array.from({ length: count }, () => {
    const node = pickFrom(nodes, balancer);
    node?.load.begin();
    return node?.address;
  }).join(' ');
}

describe('least connections', () => {
  test('prefers the node with fewer open sessions', () => {
    expect(open(1, [sceneNode('busy', { active: 3 }), sceneNode('idle')])).toBe('idle');
  });

  test('lets a heavier node have more of them', () => {
    expect(open(3, [sceneNode('a', { weight: 3 }), sceneNode('b', { weight: 2 })])).toBe('a b a');
  });

  test('gives the first session to the heaviest', () => {
    expect(open(1, [sceneNode('a'), sceneNode('b', { weight: 3 }), sceneNode('c', { weight: 2 })])).toBe('b');
  });

  test('fills a new node up before the others get more', () => {
    expect(open(5, [sceneNode('a', { active: 3 }), sceneNode('new')], () => 0)).toBe('new new new a new');
  });

  test('gives sessions that come one after the other to each node in turn', () => {
    const nodes = [sceneNode('a'), sceneNode('b'), sceneNode('c')];
    const balancer = leastConn.create(nodes, { random: () => 0 });

    const picked = Array.from({ length: 6 }, () => balancer.pick(attempt())?.address);

    expect(picked.join(' ')).toBe('a b c a b c');
  });

  test('begins at a random one of equal nodes', () => {
    expect(open(3, [sceneNode('a'), sceneNode('b'), sceneNode('c')], () => 0.5)).toBe('b c a');
  });

  test('goes on with the counts after a change of the upstream', () => {
    const [a, b] = [sceneNode('a'), sceneNode('b')];
    open(4, [a, b]);

    expect(open(2, [a, b, sceneNode('new')])).toBe('new new');
  });

  test('gives weight 0 to a session that has tried all others', () => {
    const [a, last] = [sceneNode('a', { active: 9 }), sceneNode('last', { weight: 0 })];
    const balancer = leastConn.create([last, a]);

    expect(balancer.pick(attempt())).toBe(a);
    expect(balancer.pick(attempt([a]))).toBe(last);
    expect(balancer.pick(attempt([a, last]))).toBeUndefined();
  });
});
