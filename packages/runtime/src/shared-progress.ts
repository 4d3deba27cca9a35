import type { Revision } from '@apisix-ts/config';
import type { WorkerMemory } from './shared-tally.ts';

/** Two numbers a worker: the revision in effect there, and when it took effect, in milliseconds since 1970. */
const LENGTH = 2;

/**
 * How far each worker is. Nobody is woken to learn it: a worker writes it down with each change, and whoever wants to know
 * looks.
 */
export class SharedProgress {
  readonly shared: WorkerMemory;
  readonly #numbers: BigInt64Array;

  constructor(workers: number) {
    const bytes = LENGTH * workers * BigInt64Array.BYTES_PER_ELEMENT;
    this.shared = { memory: new SharedArrayBuffer(bytes), workers };
    this.#numbers = new BigInt64Array(this.shared.memory);
  }

  /** The revision in effect in a worker; 0 before its first. */
  revisionOf(worker: number): Revision {
    return Number(Atomics.load(this.#numbers, worker * LENGTH));
  }

  /** When that took effect. Milliseconds since 1970. */
  appliedAtMs(worker: number): number {
    return Number(Atomics.load(this.#numbers, worker * LENGTH + 1));
  }

  /** A worker begins, in the place of one that died maybe. */
  reset(worker: number): void {
    Atomics.store(this.#numbers, worker * LENGTH, 0n);
  }
}

/** One worker's end of it. */
export class WorkerProgress {
  readonly #numbers: BigInt64Array;
  readonly #at: number;
  #revision: Revision = 0;

  constructor({ memory }: WorkerMemory, worker: number) {
    this.#numbers = new BigInt64Array(memory);
    this.#at = worker * LENGTH;
  }

  /** All changes up to this revision are in effect. */
  set(revision: Revision): void {
    if (revision === this.#revision) return;
    this.#revision = revision;
    // Before the revision: whoever sees that sees its time.
    Atomics.store(this.#numbers, this.#at + 1, BigInt(Date.now()));
    Atomics.store(this.#numbers, this.#at, BigInt(revision));
  }
}
