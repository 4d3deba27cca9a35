/**
 * HalfSipHash-2-4 with a result of 64 bits (Aumasson and Bernstein, https://github.com/veorq/SipHash) of a text's UTF-16
 * code units, the lower byte first. Who does not know the key cannot find texts that have the same hash.
 */
export class HalfSipHash {
  /** The result for the last text, 32 bits each. */
  low = 0;
  high = 0;
  readonly #key0: number;
  readonly #key1: number;
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** @param key0 32 bits, as `key1`. */
  constructor(key0: number, key1: number) {
    this.#key0 = key0;
    this.#key1 = key1;
  }

  /** Makes `low` and `high` those of this text. Allocates nothing. */
  read(text: string): void {
    this.#a = this.#key0;
    this.#b = this.#key1 ^ 0xee;
    this.#c = this.#key0 ^ 0x6c796765;
    this.#d = this.#key1 ^ 0x74656462;
    const pairs = text.length & ~1;
    for (let index = 0; index < pairs; index += 2) {
      this.#absorb(text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16));
    }
    const rest = pairs === text.length ? 0 : text.charCodeAt(pairs);
    this.#absorb((text.length << 25) | rest);
    this.#c ^= 0xee;
    this.#scramble(4);
    this.low = this.#b ^ this.#d;
    this.#b ^= 0xdd;
    this.#scramble(4);
    this.high = this.#b ^ this.#d;
  }

  #absorb(word: number): void {
    this.#d ^= word;
    this.#scramble(2);
    this.#a ^= word;
  }

  #scramble(rounds: number): void {
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let round = 0; round < rounds; round++) {
      a = (a + b) | 0;
      b = rotate(b, 5) ^ a;
      a = rotate(a, 16);
      c = (c + d) | 0;
      d = rotate(d, 8) ^ c;
      a = (a + d) | 0;
      d = rotate(d, 7) ^ a;
      c = (c + b) | 0;
      b = rotate(b, 13) ^ c;
      c = rotate(c, 16);
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
