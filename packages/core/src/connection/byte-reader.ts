/**
 * Reads numbers in network order. Reading past the end answers 0 and sets `isTruncated`, so a parser that reads top to
 * bottom asks once, where it matters.
 */
export class ByteReader {
  isTruncated = false;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads `bytes` from `start` up to `end`. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Where the next byte stands in the array. */
  get position(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#has(1) ? (this.#bytes[this.#at++] ?? 0) : 0;
  }

  u16(): number {
    return this.#has(2) ? (this.u8() << 8) | this.u8() : 0;
  }

  u32(): number {
    return this.#has(4) ? this.u16() * 0x1_0000 + this.u16() : 0;
  }

  skip(length: number): void {
    if (this.#has(length)) this.#at += length;
  }

  /** The next `length` bytes: a view. Empty when there are fewer. */
  take(length: number): Uint8Array {
    const from = this.#at;
    this.skip(length);
    return this.#bytes.subarray(from, this.#at);
  }

  /** The next `length` bytes, one character each. Empty when there are fewer. */
  text(length: number): string {
    let text = '';
    for (const byte of this.take(length)) text += String.fromCharCode(byte);
    return text;
  }

  /** A reader of the next `length` bytes, which this one skips. Empty when there are fewer. */
  part(length: number): ByteReader {
    const from = this.#at;
    this.skip(length);
    return new ByteReader(this.#bytes, from, this.#at);
  }

  #has(length: number): boolean {
    if (length <= this.left) return true;
    this.isTruncated = true;
    this.#at = this.#end;
    return false;
  }
}
