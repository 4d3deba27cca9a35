import type { SessionCounts } from '@apisix-ts/core';
import { HalfSipHash } from './half-sip-hash.ts';
import { lock, unlock, unlockOf } from './shared-lock.ts';
import type { SharedMemoryUse, WorkerMemory } from './shared-tally.ts';

/** First the key of the hash, two integers, then the buckets. */
const BUCKETS_AT = 2;

/**
 * A bucket holds the keys whose hashes end alike: a lock, which of its slots are in use, one bit each, and the slots: the hash
 * of a key, and the share of every worker. No sum is kept, and every step of a change is one integer: wherever a worker dies,
 * what it leaves is a share to be taken out.
 */
const LOCK = 0;
const IN_USE = 1;
const SLOTS_AT = 2;
const SLOTS = 32;
const LOW = 0;
const HIGH = 1;
const SHARES = 2;

/** Slots of all buckets. As hashes spread, the first key for which there is no room comes when about half are taken. */
const SLOTS_OF_ALL = 1 << 18;

/**
 * Sessions of all workers by keys, in shared memory: exact, and without a word between threads. Of a key only a hash of 64 bits
 * is kept, which nobody can aim at: that two of 100 000 get the same is less likely than 1 in 10⁹.
 */
export class SharedSessionCounts {
  readonly shared: WorkerMemory;

  /** @param slots a power of two, at least 32. */
  constructor(workers: number, slots: number = SLOTS_OF_ALL) {
    const integers = BUCKETS_AT + (slots / SLOTS) * bucketLength(workers);
    this.shared = { memory: new SharedArrayBuffer(integers * Int32Array.BYTES_PER_ELEMENT), workers };
    const key = crypto.getRandomValues(new Int32Array(BUCKETS_AT));
    new Int32Array(this.shared.memory).set(key);
  }

  /**
   * A worker died: its sessions are over, and what it had locked is free. Waits for no other worker, which may be dead as well:
   * slots that are left without sessions are found when they are needed.
   */
  closeSessionsOf(worker: number): void {
    const { memory, workers } = this.shared;
    const integers = new Int32Array(memory);
    for (let bucket = BUCKETS_AT; bucket < integers.length; bucket += bucketLength(workers)) {
      // Most are empty, and their memory was never asked for.
      const slots = Atomics.load(integers, bucket + IN_USE) === 0 ? 0 : SLOTS;
      for (let place = 0; place < slots; place++) {
        Atomics.store(integers, slotAt(bucket, place, workers) + SHARES + worker, 0);
      }
      unlockOf(integers, bucket + LOCK, worker);
    }
  }

  /** It is full before nothing is free: see `SLOTS_OF_ALL`. */
  get use(): SharedMemoryUse {
    const { memory, workers } = this.shared;
    const integers = new Int32Array(memory);
    let free = 0;
    for (let bucket = BUCKETS_AT; bucket < integers.length; bucket += bucketLength(workers)) {
      free += SLOTS - bitsIn(Atomics.load(integers, bucket + IN_USE));
    }
    return {
      name: 'session-counts',
      capacityBytes: memory.byteLength,
      freeBytes: free * slotLength(workers) * Int32Array.BYTES_PER_ELEMENT,
    };
  }
}

/** One worker's way to the counts. */
export class WorkerSessionCounts implements SessionCounts {
  readonly #integers: Int32Array;
  readonly #workers: number;
  readonly #worker: number;
  readonly #hash: HalfSipHash;
  /** One less than there are, which is a power of two. */
  readonly #bucketMask: number;

  constructor({ memory, workers }: WorkerMemory, worker: number) {
    const integers = new Int32Array(memory);
    this.#integers = integers;
    this.#workers = workers;
    this.#worker = worker;
    this.#hash = new HalfSipHash(integers[0] ?? 0, integers[1] ?? 0);
    this.#bucketMask = (integers.length - BUCKETS_AT) / bucketLength(workers) - 1;
  }

  enter(key: string, most: number): number | undefined {
    const bucket = this.#bucketOf(key);
    lock(this.#integers, bucket + LOCK, this.#worker);
    try {
      const slot = this.#find(bucket);
      const count = slot === undefined ? 0 : this.#count(slot);
      if (count >= most) return 0;
      const entered = slot ?? this.#take(bucket);
      if (entered === undefined) return undefined;
      Atomics.add(this.#integers, entered + SHARES + this.#worker, 1);
      return count + 1;
    } finally {
      unlock(this.#integers, bucket + LOCK);
    }
  }

  leave(key: string): void {
    const bucket = this.#bucketOf(key);
    lock(this.#integers, bucket + LOCK, this.#worker);
    try {
      const slot = this.#find(bucket);
      if (slot === undefined || this.#integers[slot + SHARES + this.#worker] === 0) {
        throw new TypeError(`expected a session with the key ${key} that was let in, found none`);
      }
      Atomics.sub(this.#integers, slot + SHARES + this.#worker, 1);
      if (this.#count(slot) === 0) this.#clear(bucket, slot);
    } finally {
      unlock(this.#integers, bucket + LOCK);
    }
  }

  /** Where the bucket of a key begins. `#hash` is that of the key from then on. */
  #bucketOf(key: string): number {
    this.#hash.read(key);
    return BUCKETS_AT + (this.#hash.low & this.#bucketMask) * bucketLength(this.#workers);
  }

  /** Where the slot of the key begins that was hashed last. */
  #find(bucket: number): number | undefined {
    const { low, high } = this.#hash;
    const integers = this.#integers;
    for (let left = integers[bucket + IN_USE] ?? 0; left !== 0; left &= left - 1) {
      const slot = slotAt(bucket, lowestBit(left), this.#workers);
      if (integers[slot + LOW] === low && integers[slot + HIGH] === high) return slot;
    }
    return undefined;
  }

  /** A slot for the key that was hashed last, without sessions. */
  #take(bucket: number): number | undefined {
    const integers = this.#integers;
    if (integers[bucket + IN_USE] === ~0) this.#sweep(bucket);
    const free = ~(integers[bucket + IN_USE] ?? 0);
    if (free === 0) return undefined;
    const slot = slotAt(bucket, lowestBit(free), this.#workers);
    integers[slot + LOW] = this.#hash.low;
    integers[slot + HIGH] = this.#hash.high;
    Atomics.or(integers, bucket + IN_USE, free & -free);
    return slot;
  }

  /** Finds the slots whose sessions were those of workers that died. */
  #sweep(bucket: number): void {
    for (let place = 0; place < SLOTS; place++) {
      const slot = slotAt(bucket, place, this.#workers);
      if (this.#count(slot) === 0) this.#clear(bucket, slot);
    }
  }

  #clear(bucket: number, slot: number): void {
    const place = (slot - bucket - SLOTS_AT) / slotLength(this.#workers);
    Atomics.and(this.#integers, bucket + IN_USE, ~(1 << place));
  }

  #count(slot: number): number {
    const shares = slot + SHARES;
    let count = 0;
    for (let share = shares; share < shares + this.#workers; share++) count += this.#integers[share] ?? 0;
    return count;
  }
}

/** Where a slot of a bucket begins. */
function slotAt(bucket: number, place: number, workers: number): number {
  return bucket + SLOTS_AT + place * slotLength(workers);
}

function bitsIn(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count += 1;
  return count;
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** In integers, as what follows. */
function bucketLength(workers: number): number {
  return SLOTS_AT + SLOTS * slotLength(workers);
}

function slotLength(workers: number): number {
  return SHARES + workers;
}
