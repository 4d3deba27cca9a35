import { expect, test } from 'vitest';
import { SourceAddresses } from './source-addresses.ts';

test('addresses of the family of the target take turns', () => {
  const sources = new SourceAddresses(['192.0.2.1', '2001:db8::1', '192.0.2.2']);

  expect(Array.from({ length: 3 }, () => sources.next('198.51.100.1'))).toEqual([
    '192.0.2.1',
    '192.0.2.2',
    '192.0.2.1',
  ]);
  expect([sources.next('2001:db8::9'), sources.next('2001:db8::9')]).toEqual(['2001:db8::1', '2001:db8::1']);
});

test('without one of its family the system chooses', () => {
  expect(new SourceAddresses(['192.0.2.1']).next('2001:db8::9')).toBeUndefined();
});
