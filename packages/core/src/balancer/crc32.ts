/** The CRC-32 of zip, gzip and Ethernet (ISO 3309, reflected polynomial 0xEDB88320), one step for each byte. */
const STEPS: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? 0xedb88320 : 0);
  return register;
});

/** The CRC-32 of a text's UTF-8 bytes, from 0 to 2^32 − 1. Half a surrogate pair counts as U+FFFD. Allocates nothing. */
export function crc32(text: string): number {
  let register = -1;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) {
      register = addByte(register, code);
      continue;
    }
    const point = text.codePointAt(index) ?? 0;
    if (point > 0xffff) index += 1;
    register = addCodePoint(register, point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
  }
  return ~register >>> 0;
}

/** The CRC-32 of bytes whose CRC-32 is `crc`, followed by `word` as four bytes, the lowest first. */
export function crc32OfWord(crc: number, word: number): number {
  let register = ~crc ^ word;
  register = shiftByte(register);
  register = shiftByte(register);
  register = shiftByte(register);
  register = shiftByte(register);
  return ~register >>> 0;
}

/** @param point from U+0080. */
function addCodePoint(register: number, point: number): number {
  if (point < 0x800) return addByte(addByte(register, 0xc0 | (point >> 6)), tail(point));
  const isShort = point < 0x1_0000;
  const start = isShort
    ? addByte(register, 0xe0 | (point >> 12))
    : addByte(addByte(register, 0xf0 | (point >> 18)), tail(point >> 12));
  return addByte(addByte(start, tail(point >> 6)), tail(point));
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

function addByte(register: number, byte: number): number {
  return shiftByte(register ^ byte);
}

function shiftByte(register: number): number {
  return (STEPS[register & 0xff] ?? 0) ^ (register >>> 8);
}
