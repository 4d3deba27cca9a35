import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { searchPattern } from './pattern.ts';

const names = ['mysql-eu', 'mysql-us', 'redis', 'a.b'];

test.for([
  ['mysql', ['mysql-eu', 'mysql-us']],
  ['-u', ['mysql-us']],
  ['', names],
  ['^redis$', ['redis']],
  ['a.b', ['a.b']],
  ['s.*s$', ['mysql-us']],
  ['absent', []],
  ['[x-z]z', []],
] as const)('%s is found in %j', async ([source, found]) => {
  expect(await searchPattern(source, names)).toEqual({ found: new Set(found) });
});

test('a pattern without end is stopped, and holds nothing up meanwhile', async () => {
  const endless = searchPattern('(a+)+$', [`${'a'.repeat(200)}!`]);
  const next = searchPattern('^redis', names);

  expect(await Promise.race([endless, nextTurn('the next turn')])).toBe('the next turn');
  expect(await endless).toEqual({ wrong: 'the search took longer than 500 ms' });
  expect(await next).toEqual({ found: new Set(['redis']) });
});

test('what is no pattern is refused with the reason', async () => {
  expect(await searchPattern('(', names)).toEqual({
    wrong: 'Invalid regular expression: /(/: Unterminated group',
  });
});
