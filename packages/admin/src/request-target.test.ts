import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loggedTarget, parseRequestTarget } from './request-target.ts';

test.for([
  ['/apisix/admin/routes/', ['apisix', 'admin', 'routes']],
  ['//a///b', ['a', 'b']],
  ['/a/./b/../c', ['a', 'c']],
  ['/a%2fb', ['a', 'b']],
  ['/%41?b=/c/../d', ['A']],
  ['http://host:9180/a?x', ['a']],
  ['https://host', []],
  ['*', ['*']],
  ['', []],
] as const)('%s has the segments %j', ([target, segments]) => {
  expect(parseRequestTarget(target)?.segments).toEqual(segments);
});

test.for(['/%', '/%4', '/%zz', '/%ff', '/a%00b', '/..', '/a/../..', '/a/%2e%2e/..'])(
  '%s is refused',
  (target) => {
    expect(parseRequestTarget(target)).toBeUndefined();
  },
);

test('the query is decoded and never refused', () => {
  const target = parseRequestTarget('/a?name=a%2Bb+c&bad=%zz&flag');

  expect([...(target?.query ?? [])]).toEqual([
    ['name', 'a+b c'],
    ['bad', '%zz'],
    ['flag', ''],
  ]);
});

test('nothing makes it throw, and no segment is empty or climbs', () => {
  const piece = fc.constantFrom('/', '.', '..', '%', '%2f', '%2e', '%00', '%ff', '?', 'a', '://', 'http:');
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (target) => {
        const segments = parseRequestTarget(target)?.segments ?? [];

        for (const segment of segments) expect(segment).not.toMatch(/^\.{0,2}$|[/\0]/);
      },
    ),
  );
});

test.for([
  ['/apisix/admin/routes/1', '/apisix/admin/routes/1'],
  ['/a?ttl=60&api_key=secret&force=true', '/a?ttl=60&api_key=***&force=true'],
  ['/a?api_key=secret&api_key=other', '/a?api_key=***&api_key=***'],
  ['/a?api%5Fkey=secret', '/a?api_key=***'],
  ['/a?api_key', '/a?api_key=***'],
  ['/a?x=api_key=1', '/a?x=api_key=1'],
  ['/a?b?api_key=secret', '/a?b?api_key=secret'],
  ['http://user:pass@host/a?b', '/a?b'],
  ['/a?', '/a?'],
] as const)('%s is logged as %s', ([target, logged]) => {
  expect(loggedTarget(target)).toBe(logged);
});
