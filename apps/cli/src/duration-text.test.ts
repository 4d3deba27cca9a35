import { expect, test } from 'vitest';
import { durationText } from './duration-text.ts';

test.for([
  [-5, '0 s'],
  [999, '0 s'],
  [59_000, '59 s'],
  [60_000, '1 min'],
  [3_605_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [273_600_000, '3 d 4 h'],
] as const)('%i ms are %s', ([ms, text]) => {
  expect(durationText(ms)).toBe(text);
});
