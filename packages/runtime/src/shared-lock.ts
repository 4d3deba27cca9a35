/**
 * A lock in memory that threads share, for a few steps that neither wait nor fail: one integer, 0 or the number of the worker
 * that holds it, from 1. Whoever learns that a worker died sets free what it held.
 */
export function lock(integers: Int32Array, at: number, worker: number): void {
  for (let tries = 0; ; tries++) {
    const holder = Atomics.compareExchange(integers, at, 0, worker + 1);
    if (holder === 0) return;
    // Its thread is not running, or there is none any more. A nap is all it takes: nobody is woken for this.
    if (tries >= MOST_TRIES) Atomics.wait(integers, at, holder, NAP_MS);
  }
}

export function unlock(integers: Int32Array, at: number): void {
  Atomics.store(integers, at, 0);
}

/** Sets the lock free if it is this worker's, which has died. */
export function unlockOf(integers: Int32Array, at: number, worker: number): void {
  Atomics.compareExchange(integers, at, worker + 1, 0);
}

/** Some microseconds, many times what a holder needs. */
const MOST_TRIES = 100;
const NAP_MS = 1;
