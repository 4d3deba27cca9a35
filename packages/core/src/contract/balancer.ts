import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Balancer, BalancerKind } from '../balancer/balancer.ts';
import { createTiers } from '../balancer/tiers.ts';
import { attempt, createSeededRandom, pickFrom, sceneNode, usableNodes } from './balancer-scene.ts';
import type { SceneNode } from './balancer-scene.ts';

export interface BalancerContract {
  /** Whether a session that tried all other nodes of a tier gets those of weight 0. Default false. */
  readonly isWeightlessLastResort?: boolean;
}

/** What `Balancer` promises, in code. */
export function testBalancer(
  kind: BalancerKind,
  { isWeightlessLastResort = false }: BalancerContract = {},
): void {
  const create = (nodes: readonly SceneNode[]): Balancer =>
    createTiers(kind, nodes, { random: createSeededRandom() });

  describe(`balancer: ${kind.name}`, () => {
    test('gives out only what may be used, and something while there is anything', () => {
      fc.assert(
        fc.property(scene, fc.array(step, { maxLength: 60 }), (nodes, steps) => {
          const balancer = create(nodes);
          for (const { act, index, tookMs, tried, key } of steps) {
            const node = nodes[index % nodes.length];
            if (act === 'flip' && node !== undefined) node.load.isHealthy = !node.load.isHealthy;
            const behind = nodes.filter((_, place) => tried[place]);

            const picked = balancer.pick(attempt(behind, key));

            const usable = usableNodes(nodes, new Set(behind), isWeightlessLastResort);
            const given = usable.find((each) => each === picked);
            expect(given !== undefined || (picked === undefined && usable.length === 0)).toBe(true);
            given?.load.begin();
            if (act === 'connect') given?.load.connected(tookMs);
            if (act === 'fail') given?.load.failed(tookMs);
            if (act !== 'connect') given?.load.end();
          }
        }),
      );
    });

    test('a session that reaches nobody meets each node once, higher priorities first', () => {
      const nodes = [4, 4, 2, 2, 2, 0].map((priority, index) => sceneNode(`192.0.2.${index}`, { priority }));

      const met = pickUntilNoneIsLeft(nodes, create(nodes));

      expect(met.map((node) => node.priority)).toEqual([4, 4, 2, 2, 2, 0]);
      expect(new Set(met).size).toBe(nodes.length);
    });

    test('sessions that failed at one node spread over the others', () => {
      const nodes = ['a', 'b', 'c', 'd', 'e'].map((address) => sceneNode(address));
      const [failing] = nodes;
      const balancer = create(nodes);
      const seconds = new Map<unknown, number>();
      for (let session = 0; session < 2000; session++) {
        const key = `client ${session}`;
        const first = balancer.pick(attempt([], key));
        if (failing === undefined || first !== failing) continue;
        count(seconds, balancer.pick(attempt([failing], key)));
      }

      const all = [...seconds.values()].reduce((sum, each) => sum + each, 0);

      expect(all).toBeGreaterThan(100);
      expect(seconds.size).toBe(4);
      for (const each of seconds.values()) expect(each / all).toBeGreaterThan(0.1);
    });

    describe('weights', () => {
      test.for([
        [[1], [1]],
        [
          [1, 1],
          [0.5, 0.5],
        ],
        [
          [3, 1],
          [0.75, 0.25],
        ],
        [
          [5, 1, 1, 3],
          [0.5, 0.1, 0.1, 0.3],
        ],
        // The addresses of a name share its weight.
        [
          [1, 1 / 3, 1 / 3, 1 / 3],
          [0.5, 1 / 6, 1 / 6, 1 / 6],
        ],
        [
          [0, 2, 0, 2],
          [0, 0.5, 0, 0.5],
        ],
        [
          [0, 0],
          [0.5, 0.5],
        ],
        [[0], [1]],
      ] as const)('%j take %j of the open sessions', ([weights, expected]) => {
        const shares = sharesOf(openSessions(kind, weights, 3000));

        for (const [index, share] of shares.entries()) expectNear(share, expected[index] ?? 0, 0.7, 1.4);
      });

      test('any others, too', () => {
        const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 });
        fc.assert(
          fc.property(weights, (all) => {
            const sum = all.reduce((total, weight) => total + weight, 0);
            fc.pre(sum > 0);

            const shares = sharesOf(openSessions(kind, all, 3000));

            for (const [index, share] of shares.entries()) {
              expectNear(share, (all[index] ?? 0) / sum, 0.35, 2);
            }
          }),
          { numRuns: 30 },
        );
      });
    });

    describe('health', () => {
      test('is seen at the next pick', () => {
        const [a, b] = [sceneNode('a'), sceneNode('b')];
        const balancer = create([a, b]);

        a.load.isHealthy = false;
        expect(manyPicks(balancer)).toEqual(new Set([b]));
        a.load.isHealthy = true;
        b.load.isHealthy = false;
        expect(manyPicks(balancer)).toEqual(new Set([a]));
      });

      test('of none is as if all were healthy', () => {
        const [a, b, low] = [sceneNode('a'), sceneNode('b'), sceneNode('low', { priority: -1 })];
        const balancer = create([a, b, low]);
        for (const node of [a, b, low]) node.load.isHealthy = false;

        expect(manyPicks(balancer)).toEqual(new Set([a, b]));
        expect(pickUntilNoneIsLeft([a, b, low], balancer).at(-1)).toBe(low);
      });

      test('sends sessions to a lower priority while the higher one has none', () => {
        const [high, low] = [sceneNode('high', { priority: 1 }), sceneNode('low')];
        const balancer = create([high, low]);

        high.load.isHealthy = false;
        expect(manyPicks(balancer)).toEqual(new Set([low]));
        expect(balancer.pick(attempt([low]))).toBeUndefined();
        high.load.isHealthy = true;
        expect(manyPicks(balancer)).toEqual(new Set([high]));
      });

      test('brings in weight 0 when no other node has it', () => {
        const [weighted, weightless] = [sceneNode('a'), sceneNode('b', { weight: 0 })];
        const balancer = create([weighted, weightless]);

        expect(manyPicks(balancer)).toEqual(new Set([weighted]));
        weighted.load.isHealthy = false;
        expect(manyPicks(balancer)).toEqual(new Set([weightless]));
        weightless.load.isHealthy = false;
        expect(manyPicks(balancer)).toEqual(new Set([weighted]));
      });
    });
  });
}

const scene: fc.Arbitrary<SceneNode[]> = fc
  .array(
    fc.record({
      weight: fc.constantFrom(0, 0, 1, 1, 2, 7, 1 / 3),
      priority: fc.integer({ min: -1, max: 1 }),
      isHealthy: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) => all.map((each, index) => sceneNode(`192.0.2.${index}`, each)));

/** Also of halves of surrogate pairs. */
const anyText = fc.array(fc.nat(0x10ffff)).map((points) => String.fromCodePoint(...points));

const step = fc.record({
  act: fc.constantFrom('connect', 'fail', 'flip', 'give up'),
  index: fc.nat(7),
  tookMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
  tried: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  key: fc.option(anyText, { nil: undefined }),
});

/** What a session meets whose attempts all fail. */
function pickUntilNoneIsLeft(nodes: readonly SceneNode[], balancer: Balancer): readonly SceneNode[] {
  const met: SceneNode[] = [];
  for (;;) {
    const node = pickFrom(nodes, balancer, attempt(met, 'key'));
    if (node === undefined) return met;
    met.push(node);
  }
}

function manyPicks(balancer: Balancer): ReadonlySet<unknown> {
  return new Set(
    Array.from({ length: 100 }, (_, session) => balancer.pick(attempt([], `client ${session}`))),
  );
}

/** Sessions that connect equally fast and stay. @returns how many each node has. */
function openSessions(kind: BalancerKind, weights: readonly number[], sessions: number): readonly number[] {
  const nodes = weights.map((weight, index) => sceneNode(`192.0.2.${index}`, { weight }));
  const balancer = kind.create(nodes, { random: createSeededRandom() });
  for (let session = 0; session < sessions; session++) {
    const node = pickFrom(nodes, balancer, attempt([], `client ${session}`));
    node?.load.begin();
    node?.load.connected(1);
  }
  return nodes.map((node) => node.load.active);
}

function sharesOf(counts: readonly number[]): readonly number[] {
  const all = counts.reduce((sum, each) => sum + each, 0);
  return counts.map((each) => each / all);
}

/** A share near what the weights say, as near as a hash ring comes to it. */
function expectNear(share: number, expected: number, least: number, most: number): void {
  expect(share).toBeGreaterThanOrEqual(expected * least);
  expect(share).toBeLessThanOrEqual(expected * most);
}

function count(counts: Map<unknown, number>, what: unknown): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
