import { expect, test } from 'vitest';
import { parseTtl } from './ttl.ts';

test.for([
  ['', {}],
  ['ttl=60', { ttlSeconds: 60 }],
  ['ttl=0', { ttlSeconds: 1 }],
  ['ttl=-5', { ttlSeconds: 1 }],
] as const)('"%s" gives the lease %j', ([query, options]) => {
  expect(parseTtl(new URLSearchParams(query), true)).toEqual({ options });
});

test('a request that does not write has no lease', () => {
  expect(parseTtl(new URLSearchParams('ttl=60'), false)).toEqual({ options: {} });
});
