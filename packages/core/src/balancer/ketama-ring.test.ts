import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sceneNode } from '../contract/balancer-scene.ts';
import { KetamaRing } from './ketama-ring.ts';

function ringOf(weights: Readonly<Record<string, number>>): KetamaRing {
  return new KetamaRing(Object.entries(weights).map(([address, weight]) => sceneNode(address, { weight })));
}

/** Whose the points are, from the lowest on. */
function owners(ring: KetamaRing): readonly (string | undefined)[] {
  return Array.from({ length: ring.size }, (_, position) => ring.nodeAt(position)?.address);
}

/** How many points each node has. */
function pointCounts(ring: KetamaRing): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const address of owners(ring)) counts[address ?? ''] = (counts[address ?? ''] ?? 0) + 1;
  return counts;
}

/** The points of one node as the specification has them, with zlib's CRC. */
function specifiedPoints(id: string, count: number): readonly number[] {
  const points: number[] = [];
  const word = Buffer.alloc(4);
  for (let index = 0; index < count; index++) {
    word.writeUInt32LE(points.at(-1) ?? 0);
    points.push(zlibCrc32(word, zlibCrc32(Buffer.from(id))));
  }
  return points;
}

describe('the points', () => {
  test.for([
    ['192.0.2.1', '192.0.2.1\x001995'],
    ['2001:db8::1', '[2001\x00db8\x00\x001]\x001995'],
  ] as const)('of %s are those of its id', ([address, id]) => {
    const ring = ringOf({ [address]: 2, other: 1 });

    for (const point of specifiedPoints(id, 320)) {
      expect(ring.nodeAt(ring.find(point))?.address).toBe(address);
    }
  });

  test.for([
    [
      { a: 1, b: 1 },
      { a: 160, b: 160 },
    ],
    [
      { a: 100, b: 50 },
      { a: 320, b: 160 },
    ],
    [{ a: 7 }, { a: 160 }],
    [
      { a: 1, b: 1 / 3, c: 1 / 3, d: 1 / 3 },
      { a: 480, b: 160, c: 160, d: 160 },
    ],
    [
      { a: 1 / 7, b: 1 / 11 },
      { a: 1760, b: 1120 },
    ],
    [
      { a: 0, b: 0 },
      { a: 160, b: 160 },
    ],
  ] as const)('of weights %j are %j', ([weights, expected]) => {
    expect(pointCounts(ringOf(weights))).toEqual(expected);
  });

  test('do not depend on the order of the nodes, not even where two nodes have the same', () => {
    const nodes = Array.from({ length: 2000 }, (_, index) => sceneNode(`192.0.2.${index}`));

    expect(owners(new KetamaRing(nodes.toReversed()))).toEqual(owners(new KetamaRing(nodes)));
  });

  test('stay in bounds and in proportion, whatever the weights', () => {
    const ring = ringOf({ a: 1_000_003, b: 999_983, tiny: 1 });

    const { a = 0, b = 0, tiny } = pointCounts(ring);

    expect(ring.size).toBeLessThanOrEqual(2 ** 18 + 1);
    expect(a / b).toBeCloseTo(1, 3);
    expect(tiny).toBe(1);
  });

  test('of two thousand equal nodes are still 160 each', () => {
    const nodes = Array.from({ length: 2000 }, (_, index) => sceneNode(`192.0.2.${index}`));

    expect(new KetamaRing(nodes).size).toBe(320_000);
  });
});

test('finds the first point that is not below a hash, and the lowest after the last', () => {
  const nodes = ['a', 'b', 'c'].map((address) => sceneNode(address));
  const ring = new KetamaRing(nodes);
  const points = nodes
    .flatMap(({ address }) => specifiedPoints(`${address}\x001995`, 160))
    .sort((a, b) => a - b);
  const hash = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(...points, 0, 0xffffffff));

  fc.assert(
    fc.property(hash, (sought) => {
      const position = points.findIndex((point) => point >= sought);

      expect(ring.find(sought)).toBe(Math.max(0, position));
    }),
  );
});
