import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WeightedTurns } from './weighted-turns.ts';

function take<T>(turns: WeightedTurns<T>, count: number): (T | undefined)[] {
  return Array.from({ length: count }, () => turns.next());
}

test('a heavy one is spread over the run', () => {
  const turns = new WeightedTurns(
    [
      ['a', 5],
      ['b', 1],
      ['c', 1],
    ],
    () => 0,
  );

  expect(take(turns, 8).join('')).toBe('aabacaaa');
});

test('what has no weight has no turn, and without any there is none', () => {
  const one = new WeightedTurns([
    ['a', 0],
    ['b', 3],
  ]);

  expect(take(one, 3)).toEqual(['b', 'b', 'b']);
  expect(new WeightedTurns([['a', 0]]).next()).toBeUndefined();
  expect(new WeightedTurns([]).next()).toBeUndefined();
});

test('wherever it begins, a run has each as often as its weight says', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(weights, fc.double({ min: 0, max: 0.99, noNaN: true }), (list, random) => {
      const turns = new WeightedTurns(
        list.map((weight, index) => [index, weight * 10] as const),
        () => random,
      );

      const counts = Map.groupBy(
        take(
          turns,
          list.reduce((sum, weight) => sum + weight, 0),
        ),
        (index) => index,
      );

      expect(list.map((_, index) => counts.get(index)?.length ?? 0)).toEqual(list);
    }),
  );
});

test('any weights have an end', () => {
  const turns = new WeightedTurns([
    ['a', 2 ** 53 - 1],
    ['b', 1],
  ]);

  expect(take(turns, 100)).toContain('a');
});
