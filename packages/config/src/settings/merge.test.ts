import { describe, expect, test } from 'vitest';
import { merge } from './merge.ts';
import type { Problem } from '../source/problem.ts';

const defaults = {
  list: [1, 2],
  map: { a: 1, deep: { b: true } },
  number: 1,
  apisix: { node_listen: [9080] },
  nginx_config: { size: '1m', count: 4, flag: true },
};

test.for([
  ['undefined changes nothing', { list: undefined }, { list: [1, 2] }],
  ['a list replaces a list', { list: [3] }, { list: [3] }],
  ['an empty map replaces a list', { list: {} }, { list: {} }],
  ['an empty map replaces a map', { map: {} }, { map: {} }],
  ['a map is merged key by key', { map: { deep: { c: 2 } } }, { map: { a: 1, deep: { b: true, c: 2 } } }],
  ['null removes inside a map', { map: { a: null } }, { map: { deep: { b: true } } }],
  ['a map appears where there was none', { more: { x: { y: 1 } } }, { more: { x: { y: 1 } } }],
  ['null inside a new map is left out', { more: { x: null } }, { more: {} }],
  ['a scalar of the same type replaces', { number: 2 }, { number: 2 }],
  ['a scalar appears where there was none', { other: 'x' }, { other: 'x' }],
  [
    'a number may stand for the list of ports',
    { apisix: { node_listen: 80 } },
    { apisix: { node_listen: 80 } },
  ],
  [
    'numbers and text are one below nginx_config',
    { nginx_config: { size: 5, count: '8' } },
    { nginx_config: { size: 5, count: '8', flag: true } },
  ],
] as const)('%s', ([, user, expected]) => {
  const problems: Problem[] = [];
  const merged = merge(defaults, user, problems);

  expect(merged).toStrictEqual({ ...defaults, ...expected });
  expect(problems).toStrictEqual([]);
});

test('null removes a default', () => {
  expect(Object.keys(merge(defaults, { list: null, map: { a: null } }, []))).toStrictEqual([
    'map',
    'number',
    'apisix',
    'nginx_config',
  ]);
});

describe('a scalar of another type is refused', () => {
  test.for([
    [{ list: 3 }, 'failed to merge, path[list] expect: table, but got: number'],
    [{ map: { deep: 'x' } }, 'failed to merge, path[map->deep] expect: table, but got: string'],
    [{ map: { deep: { b: 'on' } } }, 'failed to merge, path[map->deep->b] expect: boolean, but got: string'],
    [{ number: true }, 'failed to merge, path[number] expect: number, but got: boolean'],
    [{ number: { a: 1 } }, 'failed to merge, path[number] expect: number, but got: table'],
    [
      { nginx_config: { size: false } },
      'failed to merge, path[nginx_config->size] expect: string, but got: boolean',
    ],
    [
      { nginx_config: { flag: 1 } },
      'failed to merge, path[nginx_config->flag] expect: boolean, but got: number',
    ],
    [
      { apisix: { node_listen: 'x' } },
      'failed to merge, path[apisix->node_listen] expect: table, but got: string',
    ],
  ] as const)('%j', ([user, text]) => {
    const problems: Problem[] = [];
    merge(defaults, user, problems);

    expect(problems).toMatchObject([{ code: 'SETTINGS_INVALID', text }]);
  });

  test('and all of them are told at once', () => {
    const problems: Problem[] = [];
    merge(defaults, { list: 1, number: 'x' }, problems);

    expect(problems.map(({ path }) => path)).toStrictEqual([['list'], ['number']]);
  });
});

test('shares nothing with the defaults or the input', () => {
  const user = { more: { list: [{ a: 1 }] } };
  const merged = merge(defaults, user, []);

  expect(merged['map']).not.toBe(defaults.map);
  expect(merged['list']).not.toBe(defaults.list);
  expect(merged['more']).not.toBe(user.more);
});
