import { expect, test } from 'vitest';
import { ownShortage } from './own-shortage.ts';

test.for([
  ['EMFILE', 'everything'],
  ['ENFILE', 'everything'],
  ['ENOMEM', 'everything'],
  ['ENOBUFS', 'everything'],
  ['EADDRNOTAVAIL', 'local-ports'],
  ['EADDRINUSE', 'local-ports'],
  ['ECONNREFUSED', undefined],
  ['EHOSTUNREACH', undefined],
  [undefined, undefined],
] as const)('%s is a shortage of %s', ([errno, shortage]) => {
  expect(ownShortage(errno)).toBe(shortage);
});
