/**
 * A count of all workers in shared memory: the sum, then each worker's share of it, so that the share of one that died
 * can be taken back. A tally takes `tallyLength` integers.
 */
export function tallyLength(workers: number): number {
  return 1 + workers;
}

/** Memory that all workers share, and how many they are. */
export interface WorkerMemory {
  readonly memory: SharedArrayBuffer;
  readonly workers: number;
}

/** How full a piece of shared memory is that was laid out at the start. */
export interface SharedMemoryUse {
  readonly name: string;
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

/** @param at where the tally begins, as in all that follow. */
export function readTally(integers: Int32Array, at: number): number {
  return Atomics.load(integers, at);
}

export function addToTally(integers: Int32Array, at: number, worker: number, change: 1 | -1): void {
  Atomics.add(integers, at, change);
  Atomics.add(integers, at + 1 + worker, change);
}

/** Adds 1 unless the sum is `most` already. @returns whether it did; exact, however many workers try at once. */
export function addBelow(integers: Int32Array, at: number, worker: number, most: number): boolean {
  let sum = Atomics.load(integers, at);
  while (sum < most) {
    const found = Atomics.compareExchange(integers, at, sum, sum + 1);
    if (found === sum) {
      Atomics.add(integers, at + 1 + worker, 1);
      return true;
    }
    sum = found;
  }
  return false;
}

/** Makes this the worker's share, whatever it was. */
export function setShare(integers: Int32Array, at: number, worker: number, share: number): void {
  const former = Atomics.exchange(integers, at + 1 + worker, share);
  Atomics.add(integers, at, share - former);
}
