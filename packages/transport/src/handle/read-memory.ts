/** One read takes at most this much: what libuv asks for by default. Twice or four times as much made no clear difference for bulk. */
const readBytes = 65_536;
/** Below this a chunk is copied to the small kind of memory. */
const smallBytes = 4096;
/** Chunks of one kind kept for the next stalled wires; more are left to the garbage collector. */
const keptChunks = 64;

/**
 * The memory that all handle wires of a driver read into. Every read lands in one buffer, so an idle wire holds none;
 * the bytes are then copied to a chunk, because a write may keep a pointer to them while other wires read on. A chunk is
 * used again for the very next read, unless the wire paused: then it stays with the wire until that resumes.
 *
 * The copy of 64 bytes costs some 30 ns of a round trip's 20 µs. Two other ways were tried beside this one: a buffer of each
 * wire's own was no cheaper, for bulk neither, and holds 64 KiB a wire; the native default, a new buffer for every read, cost
 * more. A chunk above 4 KiB costs one view object; smaller ones allocate nothing.
 */
export class ReadMemory {
  /** Where the system puts the bytes. */
  readonly landing: Buffer = Buffer.allocUnsafeSlow(readBytes);
  readonly #small = new ChunkPool(smallBytes);
  readonly #large = new ChunkPool(readBytes);

  /** The `count` bytes that just landed, in a chunk that is good until the next call. */
  lift(count: number): Chunk {
    const chunk = (count <= smallBytes ? this.#small : this.#large).current;
    this.landing.copy(chunk.bytes, 0, 0, count);
    return chunk;
  }

  /** The chunk of the last `lift` stays with its wire. */
  keep(chunk: Chunk): void {
    chunk.pool.replaceCurrent();
  }

  /** The wire needs its chunk no longer. */
  release(chunk: Chunk): void {
    chunk.pool.put(chunk);
  }
}

export class Chunk {
  readonly bytes: Buffer;
  /** @internal */
  readonly pool: ChunkPool;
  /** Small messages tend to have few lengths: the views of them are made once. */
  readonly #views: (Uint8Array | undefined)[] = [];

  constructor(pool: ChunkPool, size: number) {
    this.pool = pool;
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** The first `count` bytes. */
  view(count: number): Uint8Array {
    if (count > smallBytes) return this.bytes.subarray(0, count);
    return (this.#views[count] ??= this.bytes.subarray(0, count));
  }
}

class ChunkPool {
  current: Chunk;
  readonly #free: Chunk[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.current = new Chunk(this, size);
  }

  replaceCurrent(): void {
    this.current = this.#free.pop() ?? new Chunk(this, this.#size);
  }

  put(chunk: Chunk): void {
    if (this.#free.length < keptChunks) this.#free.push(chunk);
  }
}
