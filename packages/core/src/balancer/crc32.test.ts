import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32, crc32OfWord } from './crc32.ts';

describe('the CRC-32', () => {
  test.for([
    ['', 0],
    ['a', 0xe8b7be43],
    ['123456789', 0xcbf43926],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ] as const)('of "%s" is %i', ([text, expected]) => {
    expect(crc32(text)).toBe(expected);
  });

  test.for([
    'é',
    '߿ࠀ',
    '￿',
    '𐀀',
    '\u{10FFFF}',
    'half \uD800 a pair',
    '\uDC00\uD800',
    'ends with half \uDBFF',
  ])('of "%s" is that of its UTF-8', (text) => {
    expect(crc32(text)).toBe(zlibCrc32(Buffer.from(text)));
  });

  test('of any text is that of zlib', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x10ffff)), (points) => {
        const text = String.fromCodePoint(...points);

        expect(crc32(text)).toBe(zlibCrc32(Buffer.from(text)));
      }),
    );
  });

  test('goes on with a word, its lowest byte first', () => {
    const uint32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(uint32, uint32, (crc, word) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(word);

        expect(crc32OfWord(crc, word)).toBe(zlibCrc32(bytes, crc));
      }),
    );
  });
});
