import { addToTally, readTally, setShare, tallyLength } from './shared-tally.ts';
import type { WorkerMemory } from './shared-tally.ts';

/** How often a node may have got room; then the tally of the sessions that wait for one. */
const NEWS = 0;
const WAITING = 1;

/**
 * How sessions that wait for a node learn that one may have room, whichever worker's session left it. As long as none waits,
 * telling costs one look.
 */
export class SharedWaiting {
  readonly shared: WorkerMemory;
  readonly #integers: Int32Array;

  constructor(workers: number) {
    const bytes = (WAITING + tallyLength(workers)) * Int32Array.BYTES_PER_ELEMENT;
    this.shared = { memory: new SharedArrayBuffer(bytes), workers };
    this.#integers = new Int32Array(this.shared.memory);
  }

  /** Sessions of all workers that wait. */
  get size(): number {
    return readTally(this.#integers, WAITING);
  }

  /** A worker died, and what waited there. */
  closeSessionsOf(worker: number): void {
    setShare(this.#integers, WAITING, worker, 0);
  }

  tell(): void {
    tell(this.#integers);
  }
}

/** One worker's end of it. */
export class WorkerWaiting {
  readonly #integers: Int32Array;
  readonly #worker: number;

  constructor({ memory }: WorkerMemory, worker: number) {
    this.#integers = new Int32Array(memory);
    this.#worker = worker;
  }

  /** A session waits from now on: whoever leaves a node after this tells of it. */
  begin(): void {
    addToTally(this.#integers, WAITING, this.#worker, 1);
  }

  end(): void {
    addToTally(this.#integers, WAITING, this.#worker, -1);
  }

  /** Some node may have room. */
  tell(): void {
    tell(this.#integers);
  }

  /** What was told so far, for `next`. */
  get told(): number {
    return Atomics.load(this.#integers, NEWS);
  }

  /** @returns settles when more was told than `told`; undefined when that is so already. */
  next(told: number): Promise<unknown> | undefined {
    const wait = Atomics.waitAsync(this.#integers, NEWS, told);
    return wait.async ? wait.value : undefined;
  }
}

function tell(integers: Int32Array): void {
  if (readTally(integers, WAITING) === 0) return;
  Atomics.add(integers, NEWS, 1);
  Atomics.notify(integers, NEWS);
}
