import { sessionReasons } from './data-plane/session-reason.ts';
import type { SessionReason } from './data-plane/session-reason.ts';
import type { SharedMemoryUse } from './shared-tally.ts';

/** Listeners one gateway can have at a time. */
export const MAX_LISTENERS = 4096;

/** What is counted for each listener, in this order. Bytes are added when a session ends, and when somebody asks. */
const listenerFields = [
  'accepted',
  'closed',
  'downstreamIngressBytes',
  'downstreamEgressBytes',
  'upstreamIngressBytes',
  'upstreamEgressBytes',
] as const;

export type ListenerCounts = { readonly [field in (typeof listenerFields)[number]]: number };

/** What is counted for all listeners together, in this order. */
const eventFields = ['retries', 'downstreamHandshakes', 'upstreamHandshakes'] as const;

export type EventCounts = { readonly [field in (typeof eventFields)[number]]: number };

/** Upper ends of what times to connect are counted by. Seconds. */
const connectBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** How many measurements there were of each size. */
export interface Distribution {
  /** Upper end, inclusive, and how many were no more than it but more than the one before. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  /** More than the last bound. */
  readonly above: number;
  readonly sum: number;
}

const FIELDS = listenerFields.length;
const REASONS_AT = MAX_LISTENERS * FIELDS;
const EVENTS_AT = REASONS_AT + sessionReasons.length;
/** One number a bound, one for what is above them, and the sum. */
const CONNECTS_AT = EVENTS_AT + eventFields.length;
const CONNECT_SUM_AT = CONNECTS_AT + connectBounds.length + 1;
const NUMBERS_PER_WORKER = CONNECT_SUM_AT + 1;

/**
 * The counters of all workers in one piece of shared memory. Each worker writes only to its own region, so a count is
 * one addition without a lock; whoever reads adds the regions up. A worker that replaces a dead one goes on in
 * its region, so counts never fall.
 */
export class SharedCounters {
  readonly memory: SharedArrayBuffer;
  readonly #regions: readonly Float64Array[];

  constructor(workers: number) {
    const memory = new SharedArrayBuffer(workers * NUMBERS_PER_WORKER * Float64Array.BYTES_PER_ELEMENT);
    this.memory = memory;
    this.#regions = Array.from({ length: workers }, (_, worker) => workerNumbers(memory, worker));
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

  events(): EventCounts {
    const sums = eventFields.map((field, index) => [field, this.#sum(EVENTS_AT + index)] as const);
    return Object.fromEntries(sums) as EventCounts; // built from exactly its fields
  }

  /** How long it took to connect to nodes, handshakes included, where it worked. Seconds. */
  connects(): Distribution {
    return {
      buckets: connectBounds.map((bound, index) => [bound, this.#sum(CONNECTS_AT + index)] as const),
      above: this.#sum(CONNECTS_AT + connectBounds.length),
      sum: this.#sum(CONNECT_SUM_AT),
    };
  }

  /** @param listeners that have a place. */
  use(listeners: number): SharedMemoryUse {
    const bytesPerListener = this.#regions.length * FIELDS * Float64Array.BYTES_PER_ELEMENT;
    return {
      name: 'listener-counters',
      capacityBytes: this.memory.byteLength,
      freeBytes: (MAX_LISTENERS - listeners) * bytesPerListener,
    };
  }

  #sum(position: number): number {
    let sum = 0;
    for (const numbers of this.#regions) sum += numbers[position] ?? 0;
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

const NO_BYTES: SessionBytes = {
  downstreamRead: 0,
  downstreamWritten: 0,
  upstreamRead: 0,
  upstreamWritten: 0,
};

/** One worker's region, for writing. */
export class WorkerCounters {
  readonly #numbers: Float64Array;
  #sessions = 0;

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#numbers = workerNumbers(memory, worker);
  }

  /** Counts the sessions of a worker that died, whose region this is now, as closed. */
  closeInherited(): void {
    for (let slot = 0; slot < MAX_LISTENERS; slot++) {
      const accepted = this.#numbers[slot * FIELDS] ?? 0;
      this.#numbers[slot * FIELDS + 1] = accepted;
      this.#sessions += accepted;
    }
  }

  /** Sessions of a listener that this worker has now. */
  openSessions(slot: number): number {
    const base = slot * FIELDS;
    return (this.#numbers[base] ?? 0) - (this.#numbers[base + 1] ?? 0);
  }

  /** @returns the number of the session: from 1, and on where a worker that died was. */
  sessionOpened(slot: number): number {
    this.#add(slot * FIELDS, 1);
    this.#sessions += 1;
    return this.#sessions;
  }

  /** @param bytes of its whole life. @param counted of these, what was counted while it was open. */
  sessionEnded(
    slot: number,
    reason: SessionReason,
    bytes: SessionBytes,
    counted: SessionBytes = NO_BYTES,
  ): void {
    this.#add(slot * FIELDS + 1, 1);
    this.sessionMoved(slot, bytes, counted);
    this.#add(REASONS_AT + sessionReasons.indexOf(reason), 1);
  }

  /** Counts what an open session moved. @param counted what was counted of it before. */
  sessionMoved(slot: number, bytes: SessionBytes, counted: SessionBytes = NO_BYTES): void {
    const base = slot * FIELDS;
    this.#add(base + 2, bytes.downstreamRead - counted.downstreamRead);
    this.#add(base + 3, bytes.downstreamWritten - counted.downstreamWritten);
    this.#add(base + 4, bytes.upstreamRead - counted.upstreamRead);
    this.#add(base + 5, bytes.upstreamWritten - counted.upstreamWritten);
  }

  happened(event: keyof EventCounts): void {
    this.#add(EVENTS_AT + eventFields.indexOf(event), 1);
  }

  /** @param tookMs to connect to a node. */
  connected(tookMs: number): void {
    const seconds = tookMs / 1000;
    const index = connectBounds.findIndex((bound) => seconds <= bound);
    this.#add(CONNECTS_AT + (index < 0 ? connectBounds.length : index), 1);
    this.#add(CONNECT_SUM_AT, seconds);
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
