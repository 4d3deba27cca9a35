import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipBytes, ipv6Text, shortestIpText } from './ip-text.ts';

test.for([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['1:0:0:0:0:0:0:0', '1::'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1'],
] as const)('%s is written %s', ([text, shortest]) => {
  expect(shortestIpText(text)).toBe(shortest);
});

test('what is no address has no bytes and no text', () => {
  for (const text of ['', 'localhost', '192.0.2', '192.0.2.01', '1::2::3'])
    expect(ipBytes(text)).toBeUndefined();
});

test('IPv6 text is what the system writes', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  // Below 2000::/3 the system writes some addresses with a dotted tail.
  const address = fc.tuple(
    fc.integer({ min: 0x2000, max: 0x3fff }),
    fc.array(group, { minLength: 7, maxLength: 7 }),
  );
  fc.assert(
    fc.property(address, ([first, rest]) => {
      const text = [first, ...rest].map((value) => value.toString(16)).join(':');

      const bytes = ipBytes(text);

      expect(ipv6Text(bytes ?? new Uint8Array(), 0)).toBe(
        new SocketAddress({ address: text, family: 'ipv6' }).address,
      );
    }),
  );
});
