import { expect, test } from 'vitest';
import { HalfSipHash } from './half-sip-hash.ts';

// Those of its authors for 64 bits, with the key 00 01 … 07 and the texts of so many bytes 00 01 02 …
test.each([
  [0, '218d1f59b9b83cc8'],
  [2, '064f39ef7c50eb57'],
  [4, 'd5e78a175be52ea1'],
  [6, 'ce3e91358aa2bc25'],
  [8, 'edfee820bce4858c'],
  [10, '95b0469f06a6f2ee'],
  [12, '7bc71f9faef5c799'],
])('the hash of %i bytes is %s', (length, expected) => {
  const hash = new HalfSipHash(0x03020100, 0x07060504);
  hash.read('another text');

  hash.read(Buffer.from(Array.from({ length }, (_, byte) => byte)).toString('utf16le'));

  const result = Buffer.alloc(8);
  result.writeInt32LE(hash.low, 0);
  result.writeInt32LE(hash.high, 4);
  expect(result.toString('hex')).toBe(expected);
});
