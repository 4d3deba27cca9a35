import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCidr, parseIp } from './ip.ts';

describe('an address', () => {
  test.for([
    ['0.0.0.0', { family: 4, bits: 0 }],
    ['192.0.2.1', { family: 4, bits: 0xc0000201 }],
    ['255.255.255.255', { family: 4, bits: 0xffffffff }],
    ['::', { family: 6, bits: 0n }],
    ['::1', { family: 6, bits: 1n }],
    ['2001:db8::ff00:42', { family: 6, bits: 0x20010db80000000000000000ff000042n }],
    ['fe80::1%eth0', { family: 6, bits: 0xfe800000000000000000000000000001n }],
    ['::ffff:192.0.2.1', { family: 4, bits: 0xc0000201 }],
    ['64:ff9b::192.0.2.1', { family: 6, bits: 0x0064ff9b0000000000000000c0000201n }],
  ] as const)('%s is read as bits', ([text, bits]) => {
    expect(parseIp(text)).toEqual(bits);
  });

  test.for([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1..2.3',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
  ])('%s is refused', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test('is accepted exactly when the system accepts it', () => {
    const nearlyAddresses = fc.stringMatching(/^[0-9a-f:.]{0,24}$/);

    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearlyAddresses), (text) => {
        expect(parseIp(text) !== undefined, text).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a prefix', () => {
  test.for([
    ['127.0.0.1/26', { family: 4, bits: 0x7f000000, prefixLength: 26 }],
    ['10.1.2.3', { family: 4, bits: 0x0a010203, prefixLength: 32 }],
    ['255.255.255.255/0', { family: 4, bits: 0, prefixLength: 0 }],
    ['2001:db8:ffff::/32', { family: 6, bits: 0x20010db8n << 96n, prefixLength: 32 }],
    ['::1/128', { family: 6, bits: 1n, prefixLength: 128 }],
  ] as const)('%s loses the bits beyond its length', ([text, cidr]) => {
    expect(parseCidr(text)).toEqual(cidr);
  });

  test.for([':/8', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/x', '10.0.0.0/8/8'])(
    '%s is refused',
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );
});
