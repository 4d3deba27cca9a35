import { expect, test } from 'vitest';
import { didYouMean } from './did-you-mean.ts';

const known = ['start', 'stop', 'status', 'export', 'explain', '--prune', '--json'];

test.for([
  ['strat', 'start'],
  ['stat', 'status'],
  ['stauts', 'status'],
  ['exprot', 'export'],
  ['expl', 'explain'],
  ['ex', undefined],
  ['list', undefined],
  ['--purne', '--prune'],
  ['--jsno', '--json'],
  ['-j', undefined],
] as const)('%s is taken for %s', ([word, meant]) => {
  expect(didYouMean(word, known)).toBe(meant === undefined ? '' : ` (did you mean ${meant}?)`);
});
