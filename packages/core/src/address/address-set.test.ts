import { expect, test } from 'vitest';
import { AddressSet } from './address-set.ts';

const some = new AddressSet(['192.0.2.0/25', '192.0.2.200', '2001:db8::/32', '::ffff:198.51.100.1']);

test.each([
  ['192.0.2.127', true],
  ['192.0.2.128', false],
  ['192.0.2.200', true],
  ['::ffff:192.0.2.1', true],
  ['198.51.100.1', true],
  ['2001:db8:1::', true],
  ['2001:db9::', false],
  ['unix:/run/x', false],
])('%s is among them: %s', (text, isAmong) => {
  expect(some.has(text)).toBe(isAmong);
});

test('takes addresses and ranges only', () => {
  expect(() => new AddressSet(['192.0.2.1', 'localhost'])).toThrow('not an address or range: localhost');
});
