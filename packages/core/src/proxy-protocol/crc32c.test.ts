import { splitAtEach } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

// RFC 3720 appendix B.4, and the check value of the catalogue of CRCs.
test.for([
  ['32 zeros', new Uint8Array(32), 0x8a91_36aa],
  ['32 ones', new Uint8Array(32).fill(255), 0x62a8_ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
  ['the digits', Uint8Array.from(Buffer.from('123456789')), 0xe306_9283],
  ['nothing', new Uint8Array(), 0],
] as const)('of %s is as published, in one piece and in two', ([, bytes, expected]) => {
  expect(crc32c(bytes)).toBe(expected);
  for (const [head, tail] of splitAtEach(bytes)) expect(crc32c(tail, crc32c(head))).toBe(expected);
});
