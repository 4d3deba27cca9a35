const empty = new Uint8Array();

/** Collects bytes from views that do not last. The first memory fits what comes first; then it grows by doubling. */
export class ByteBuffer {
  #memory = empty;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** What was appended and not consumed, in order: a view that stays as it is, whatever happens here later. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(this.#start, this.#end);
  }

  append(view: Uint8Array): void {
    if (this.#end + view.length > this.#memory.length) this.#grow(this.length + view.length);
    this.#memory.set(view, this.#end);
    this.#end += view.length;
  }

  /** Forgets the first `count` bytes. */
  consume(count: number): void {
    this.#start += Math.min(count, this.length);
  }

  #grow(length: number): void {
    const { bytes } = this;
    this.#memory = new Uint8Array(Math.max(length, bytes.length * 2));
    this.#memory.set(bytes);
    this.#start = 0;
    this.#end = bytes.length;
  }
}
