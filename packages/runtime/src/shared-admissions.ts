import type { ConnectionLimits, ConnectionRate } from '@apisix-ts/config';
import type { SessionReason } from './data-plane/session-reason.ts';
import { MAX_LISTENERS } from './shared-counters.ts';
import { addBelow, addToTally, setShare, tallyLength } from './shared-tally.ts';
import type { SharedMemoryUse, WorkerMemory } from './shared-tally.ts';

/** For each listener: when its bucket will be full, nanoseconds; then 32-bit integers, the tally of its sessions. */
const BUCKET_BYTES = BigInt64Array.BYTES_PER_ELEMENT;

/**
 * What the limits of listeners go by, in memory that every worker shares: they hold for all workers together, exactly.
 * Of a listener without limits nothing is written here.
 */
export class SharedAdmissions {
  readonly shared: WorkerMemory;

  constructor(workers: number) {
    this.shared = { memory: new SharedArrayBuffer(MAX_LISTENERS * slotBytes(workers)), workers };
  }

  /** A worker died: its sessions are over. */
  closeSessionsOf(worker: number): void {
    const integers = new Int32Array(this.shared.memory);
    for (let slot = 0; slot < MAX_LISTENERS; slot++) {
      setShare(integers, tallyAt(slot, this.shared.workers), worker, 0);
    }
  }

  /** @param listeners that have a place. */
  use(listeners: number): SharedMemoryUse {
    const { memory, workers } = this.shared;
    return {
      name: 'listener-limits',
      capacityBytes: memory.byteLength,
      freeBytes: (MAX_LISTENERS - listeners) * slotBytes(workers),
    };
  }
}

/**
 * One worker's door of one listener. It stays the same while the listener's settings change or it is opened anew, so
 * every session leaves by the door that it came in by.
 */
export class Admission {
  readonly #integers: Int32Array;
  readonly #buckets: BigInt64Array;
  readonly #tally: number;
  readonly #bucket: number;
  readonly #worker: number;
  readonly #nowNs: () => bigint;
  #maxConnections: number | undefined;
  #rate: Interval | undefined;

  /**
   * @param slot the listener's place among the shared counters.
   * @param nowNs monotonic, the same for all threads. Default `process.hrtime.bigint`.
   */
  constructor(
    { memory, workers }: WorkerMemory,
    slot: number,
    worker: number,
    nowNs: () => bigint = () => process.hrtime.bigint(),
  ) {
    this.#integers = new Int32Array(memory);
    this.#buckets = new BigInt64Array(memory);
    this.#tally = tallyAt(slot, workers);
    this.#bucket = (slot * slotBytes(workers)) / BUCKET_BYTES;
    this.#worker = worker;
    this.#nowNs = nowNs;
  }

  /** Whether a connection has to ask. */
  isLimited = false;
  /** Whether those who were let in have to say that they leave. */
  isCounting = false;

  /** Takes other limits, at once. @param open sessions of the listener that this worker has now. */
  update({ maxConnections, connectionRate }: ConnectionLimits, open: number): void {
    this.#maxConnections = maxConnections;
    this.#rate = connectionRate && intervalOf(connectionRate);
    this.isLimited = maxConnections !== undefined || connectionRate !== undefined;
    const isCounting = maxConnections !== undefined;
    // Nobody counts without a limit, so its beginning finds out what is there.
    if (isCounting !== this.isCounting) {
      setShare(this.#integers, this.#tally, this.#worker, isCounting ? open : 0);
    }
    this.isCounting = isCounting;
  }

  /** A connection came. @returns undefined: it is let in. */
  enter(): Extract<SessionReason, 'LISTENER_FULL' | 'LISTENER_RATE_EXCEEDED'> | undefined {
    const most = this.#maxConnections;
    if (most !== undefined && !addBelow(this.#integers, this.#tally, this.#worker, most)) {
      return 'LISTENER_FULL';
    }
    if (this.#rate === undefined || this.#draw(this.#rate)) return undefined;
    if (most !== undefined) this.leave();
    return 'LISTENER_RATE_EXCEEDED';
  }

  /** A session that was let in, or was there when counting began, has ended. */
  leave(): void {
    addToTally(this.#integers, this.#tally, this.#worker, -1);
  }

  /**
   * One number holds the bucket: when it will be full again if nobody draws (the generic cell rate algorithm, ITU-T I.371).
   * A draw moves that on by one interval, as long as it is not more than the whole bucket away.
   */
  #draw({ intervalNs, bucketNs }: Interval): boolean {
    const nowNs = this.#nowNs();
    let known = Atomics.load(this.#buckets, this.#bucket);
    for (;;) {
      // A former, slower rate may have left it further away than this bucket can be empty.
      const fullAtNs = min(max(known, nowNs), nowNs + bucketNs);
      const next = fullAtNs + intervalNs;
      const isDrawn = next <= nowNs + bucketNs;
      if (!isDrawn && fullAtNs >= known) return false;
      const found = Atomics.compareExchange(this.#buckets, this.#bucket, known, isDrawn ? next : fullAtNs);
      if (found === known) return isDrawn;
      known = found;
    }
  }
}

interface Interval {
  /** Until there is one connection more. */
  readonly intervalNs: bigint;
  /** Until an empty bucket is full. */
  readonly bucketNs: bigint;
}

function intervalOf({ perSecond, burst }: ConnectionRate): Interval {
  const intervalNs = BigInt(Math.round(1e9 / perSecond));
  return { intervalNs, bucketNs: intervalNs * BigInt(burst) };
}

function min(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function max(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

function tallyAt(slot: number, workers: number): number {
  return (slot * slotBytes(workers) + BUCKET_BYTES) / Int32Array.BYTES_PER_ELEMENT;
}

/** A multiple of eight, so that every bucket is aligned. */
function slotBytes(workers: number): number {
  return BUCKET_BYTES + Math.ceil(tallyLength(workers) / 2) * 2 * Int32Array.BYTES_PER_ELEMENT;
}
