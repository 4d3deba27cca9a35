import { sessionReasons } from './data-plane/session-reason.ts';
import type { SessionReason } from './data-plane/session-reason.ts';

/** Listeners one gateway can have at a time. */
export const MAX_LISTENERS = 4096;

/** What is counted for each listener, in this order. Bytes are added when a session ends. */
const listenerFields = [
  'accepted',
  'closed',
  'downstreamIngressBytes',
  'downstreamEgressBytes',
  'upstreamIngressBytes',
  'upstreamEgressBytes',
] as const;

export type ListenerCounts = { readonly [field in (typeof listenerFields)[number]]: number };

const FIELDS = listenerFields.length;
const REASONS_AT = MAX_LISTENERS * FIELDS;
const NUMBERS_PER_WORKER = REASONS_AT + sessionReasons.length;

/**
 * The counters of all workers in one piece of shared memory. Each worker writes only to its own region, so a count is
 * one addition without a lock; whoever reads adds the regions up. A worker that replaces a dead one goes on in
 * its region, so counts never fall.
 */
export class SharedCounters {
  readonly memory: SharedArrayBuffer;
  readonly #workers: number;

  constructor(workers: number) {
    this.#workers = workers;
    this.memory = new SharedArrayBuffer(workers * NUMBERS_PER_WORKER * Float64Array.BYTES_PER_ELEMENT);
  }

  /** The sum over all workers for the listener in `slot`. */
  listener(slot: number): ListenerCounts {
    const sums = listenerFields.map((field, index) => [field, this.#sum(slot * FIELDS + index)] as const);
    return Object.fromEntries(sums) as ListenerCounts; // built from exactly its fields
  }

  /** Ended sessions of all workers by how they ended. */
  sessionsEnded(): ReadonlyMap<SessionReason, number> {
    return new Map(sessionReasons.map((reason, index) => [reason, this.#sum(REASONS_AT + index)]));
  }

  #sum(position: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#workers; worker++) {
      sum += workerNumbers(this.memory, worker)[position] ?? 0;
    }
    return sum;
  }
}

export interface SessionBytes {
  /** Bytes from the client, which is as many as were passed on or are lost with the session. */
  readonly downstreamRead: number;
  readonly downstreamWritten: number;
  readonly upstreamRead: number;
  readonly upstreamWritten: number;
}

/** One worker's region, for writing. */
export class WorkerCounters {
  readonly #numbers: Float64Array;

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#numbers = workerNumbers(memory, worker);
  }

  /** Counts the sessions of a worker that died, whose region this is now, as closed. */
  closeInherited(): void {
    for (let slot = 0; slot < MAX_LISTENERS; slot++) {
      this.#numbers[slot * FIELDS + 1] = this.#numbers[slot * FIELDS] ?? 0;
    }
  }

  /** Sessions of a listener that this worker has now. */
  openSessions(slot: number): number {
    const base = slot * FIELDS;
    return (this.#numbers[base] ?? 0) - (this.#numbers[base + 1] ?? 0);
  }

  sessionOpened(slot: number): void {
    this.#add(slot * FIELDS, 1);
  }

  sessionEnded(slot: number, reason: SessionReason, bytes: SessionBytes): void {
    const base = slot * FIELDS;
    this.#add(base + 1, 1);
    this.#add(base + 2, bytes.downstreamRead);
    this.#add(base + 3, bytes.downstreamWritten);
    this.#add(base + 4, bytes.upstreamRead);
    this.#add(base + 5, bytes.upstreamWritten);
    this.#add(REASONS_AT + sessionReasons.indexOf(reason), 1);
  }

  #add(position: number, amount: number): void {
    this.#numbers[position] = (this.#numbers[position] ?? 0) + amount;
  }
}

function workerNumbers(memory: SharedArrayBuffer, worker: number): Float64Array {
  return new Float64Array(
    memory,
    worker * NUMBERS_PER_WORKER * Float64Array.BYTES_PER_ELEMENT,
    NUMBERS_PER_WORKER,
  );
}
