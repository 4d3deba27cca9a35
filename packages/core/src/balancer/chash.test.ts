import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testBalancer } from '../contract/balancer.ts';
import { attempt, pickFrom, sceneNode } from '../contract/balancer-scene.ts';
import type { SceneNode } from '../contract/balancer-scene.ts';
import type { Balancer } from './balancer.ts';
import { chash } from './chash.ts';

testBalancer(chash);

const keys = Array.from({ length: 2000 }, (_, index) => `10.0.${index >> 8}.${index & 0xff}`);

function equalNodes(count: number): readonly SceneNode[] {
  return Array.from({ length: count }, (_, index) => sceneNode(`192.0.2.${index}`));
}

/** Where each of the keys goes. */
function placesOf(balancer: Balancer): readonly (string | undefined)[] {
  return keys.map((key) => balancer.pick(attempt([], key))?.address);
}

describe('a key goes where APISIX sends it', () => {
  test.for([
    ['f', '0.0.0.0'],
    ['g', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
  ] as const)('%s to %s of two', ([key, expected]) => {
    const balancer = chash.create([sceneNode('0.0.0.0'), sceneNode('127.0.0.1')]);

    expect(balancer.pick(attempt([], key))?.address).toBe(expected);
  });

  test.for([
    ['a', '127.0.0.2'],
    ['b', '127.0.0.1'],
    ['c', '127.0.0.3'],
    ['192.168.0.1', '127.0.0.1'],
    ['10.0.0.7', '127.0.0.3'],
    ['127.0.0.1', '127.0.0.1'],
  ] as const)('%s to %s of three, the last with weight 2', ([key, expected]) => {
    const nodes = [sceneNode('127.0.0.1'), sceneNode('127.0.0.2'), sceneNode('127.0.0.3', { weight: 2 })];

    expect(chash.create(nodes).pick(attempt([], key))?.address).toBe(expected);
  });
});

describe('keys stay', () => {
  test('where they are when a node goes, except its own', () => {
    const nodes = equalNodes(8);
    const before = placesOf(chash.create(nodes));

    const after = placesOf(chash.create(nodes.slice(1)));

    const moved = before.filter((place, index) => place !== after[index]);
    expect(new Set(moved)).toEqual(new Set(['192.0.2.0']));
  });

  test('where they are when a node is unhealthy, and its own return when it recovers', () => {
    const nodes = equalNodes(8);
    const [failing] = nodes;
    const balancer = chash.create(nodes);
    const before = placesOf(balancer);

    if (failing !== undefined) failing.load.isHealthy = false;
    const meanwhile = placesOf(balancer);
    if (failing !== undefined) failing.load.isHealthy = true;

    const moved = before.filter((place, index) => place !== meanwhile[index]);
    expect(new Set(moved)).toEqual(new Set([failing?.address]));
    expect(meanwhile).not.toContain(failing?.address);
    expect(placesOf(balancer)).toEqual(before);
  });

  test('mostly where they are when a node becomes heavier', () => {
    const nodes = equalNodes(4);
    const before = placesOf(chash.create(nodes));

    const after = placesOf(chash.create([sceneNode('192.0.2.0', { weight: 2 }), ...nodes.slice(1)]));

    const moved = before.filter((place, index) => place !== after[index]);
    expect(moved.length / keys.length).toBeLessThan(0.25);
    expect(moved).not.toContain('192.0.2.0');
  });
});

describe('a retry', () => {
  test('goes where the key would go if the tried nodes did not exist', () => {
    const nodes = equalNodes(6);
    const balancer = chash.create(nodes);
    fc.assert(
      fc.property(fc.string(), fc.subarray([...nodes], { maxLength: 5 }), (key, tried) => {
        const others = nodes.filter((node) => !tried.includes(node));

        const picked = pickFrom(nodes, balancer, attempt(tried, key));

        expect(picked).toBe(chash.create(others).pick(attempt([], key)));
      }),
    );
  });

  test('finds the one node that is left among a thousand', () => {
    const nodes = equalNodes(1000);
    const balancer = chash.create(nodes);

    expect(balancer.pick(attempt(nodes.slice(1), 'key'))).toBe(nodes[0]);
    expect(balancer.pick(attempt(nodes, 'key'))).toBeUndefined();
  });
});

test('two nodes with the same address are one after the other', () => {
  const [one, two] = [sceneNode('192.0.2.1'), sceneNode('192.0.2.1')];
  const balancer = chash.create([one, two]);

  const first = pickFrom([one, two], balancer, attempt([], 'key'));
  const second = balancer.pick(attempt(first === undefined ? [] : [first], 'key'));

  expect(new Set([first, second])).toEqual(new Set([one, two]));
});

test('sessions without a key all go to one node', () => {
  const balancer = chash.create(equalNodes(5));

  expect(balancer.pick(attempt())).toBe(balancer.pick(attempt([], '')));
});

test('gives weight 0 no key beside a positive weight, not even of a session that tried the others', () => {
  const [a, weightless] = [sceneNode('a'), sceneNode('b', { weight: 0 })];
  const balancer = chash.create([a, weightless]);

  expect(new Set(placesOf(balancer))).toEqual(new Set(['a']));
  expect(balancer.pick(attempt([a], 'key'))).toBeUndefined();
});
