import { averageConnectMs, averageFailedConnectMs, discountConnectMs } from '@apisix-ts/core';
import type { NodeLoad } from '@apisix-ts/core';
import { addBelow, addToTally, readTally, setShare, tallyLength } from './shared-tally.ts';
import type { SharedMemoryUse, WorkerMemory } from './shared-tally.ts';

/**
 * One slot a node: three floats (average time to connect; when it was measured; when an attempt last began), then
 * 32-bit integers: health, and the tally of sessions.
 */
const FLOATS = 3;
const AVERAGE = 0;
const MEASURED_AT = 1;
const ASKED_AT = 2;
const UNHEALTHY = 0;
const ACTIVE = 1;

/** Nodes of all upstreams together that can have a slot at a time. */
const MAX_SLOTS = 1 << 20;
const SLOTS_AT_FIRST = 1024;

/**
 * The loads of all nodes in memory that every worker shares: sessions are counted exactly over all of them. A slot
 * belongs to a node of an upstream for as long as some version of the upstream has that node, so what is known of it
 * outlives every edit.
 */
export class SharedNodeLoads {
  readonly shared: WorkerMemory;
  readonly #layout: Layout;
  readonly #slots = new Map<string, number>();
  #free: number[] = [];
  #used = 0;

  constructor(workers: number) {
    const bytesPerSlot = slotBytes(workers);
    const memory = new SharedArrayBuffer(SLOTS_AT_FIRST * bytesPerSlot, {
      maxByteLength: MAX_SLOTS * bytesPerSlot,
    });
    this.shared = { memory, workers };
    this.#layout = new Layout(this.shared);
  }

  /** The slot of a node, the same one until `release`. @param node its upstream, address and port. */
  slotOf(node: string): number {
    const known = this.#slots.get(node);
    if (known !== undefined) return known;
    const slot = this.#takeSlot();
    this.#slots.set(node, slot);
    return slot;
  }

  /** The node is in no upstream any more. Its sessions may go on. */
  release(node: string): void {
    const slot = this.#slots.get(node);
    if (slot === undefined) return;
    this.#slots.delete(node);
    this.#free.push(slot);
  }

  /** Is there such a node among those that have a slot? */
  some(fits: (node: string) => boolean): boolean {
    for (const node of this.#slots.keys()) if (fits(node)) return true;
    return false;
  }

  setHealthy(node: string, isHealthy: boolean): void {
    const slot = this.#slots.get(node);
    if (slot !== undefined) this.#layout.setHealthy(slot, isHealthy);
  }

  /** A worker died: its sessions are over. */
  closeSessionsOf(worker: number): void {
    for (let slot = 0; slot < this.#used; slot++) this.#layout.forget(slot, worker);
  }

  /** The memory grows; its capacity is what it may grow to. */
  get use(): SharedMemoryUse {
    const { memory, workers } = this.shared;
    return {
      name: 'node-loads',
      capacityBytes: memory.maxByteLength,
      freeBytes: memory.maxByteLength - this.#slots.size * slotBytes(workers),
    };
  }

  /** A slot whose last session has ended, or a new one. */
  #takeSlot(): number {
    const index = this.#free.findLastIndex((slot) => this.#layout.active(slot) === 0);
    const [reused] = index === -1 ? [] : this.#free.splice(index, 1);
    if (reused !== undefined) {
      this.#layout.clear(reused);
      return reused;
    }
    const { memory, workers } = this.shared;
    const needed = (this.#used + 1) * slotBytes(workers);
    // Doubled, so that growing stays rare; whoever looks at the memory sees it grow.
    if (needed > memory.byteLength) memory.grow(Math.min(memory.byteLength * 2, memory.maxByteLength));
    const slot = this.#used;
    this.#used += 1;
    this.#layout.clear(slot);
    return slot;
  }
}

/** One worker's way to the loads. */
export class WorkerNodeLoads {
  readonly #layout: Layout;
  readonly #worker: number;
  readonly #nowMs: () => number;

  /** @param nowMs monotonic, the same for all threads. Milliseconds; a coarse clock will do. */
  constructor(shared: WorkerMemory, worker: number, nowMs: () => number) {
    this.#layout = new Layout(shared);
    this.#worker = worker;
    this.#nowMs = nowMs;
  }

  at(slot: number): SharedNodeLoad {
    return new SharedNodeLoad(this.#layout, slot, this.#worker, this.#nowMs);
  }
}

/** The load of one node. Each `begin` is followed by exactly one `end`; between them `connected` or `failed`, or neither. */
export class SharedNodeLoad implements NodeLoad {
  readonly #layout: Layout;
  readonly #slot: number;
  readonly #worker: number;
  readonly #nowMs: () => number;

  constructor(layout: Layout, slot: number, worker: number, nowMs: () => number) {
    this.#layout = layout;
    this.#slot = slot;
    this.#worker = worker;
    this.#nowMs = nowMs;
  }

  get active(): number {
    return this.#layout.active(this.#slot);
  }

  get connectMs(): number | undefined {
    const averageMs = this.#layout.float(this.#slot, AVERAGE);
    if (Number.isNaN(averageMs)) return undefined;
    return discountConnectMs(averageMs, this.#nowMs() - this.#layout.float(this.#slot, ASKED_AT));
  }

  get isHealthy(): boolean {
    return this.#layout.isHealthy(this.#slot);
  }

  begin(): void {
    this.#layout.count(this.#slot, this.#worker, 1);
    this.#layout.setFloat(this.#slot, ASKED_AT, this.#nowMs());
  }

  /** As `begin`, unless there are `most` sessions already. @returns whether it began. */
  beginBelow(most: number): boolean {
    if (!this.#layout.countBelow(this.#slot, this.#worker, most)) return false;
    this.#layout.setFloat(this.#slot, ASKED_AT, this.#nowMs());
    return true;
  }

  /** @param tookMs since `begin`. */
  connected(tookMs: number): void {
    this.#measure(averageConnectMs, tookMs);
  }

  /** @param tookMs since `begin`. */
  failed(tookMs: number): void {
    this.#measure(averageFailedConnectMs, tookMs);
  }

  end(): void {
    this.#layout.count(this.#slot, this.#worker, -1);
  }

  /** Of two workers that measure at the same time one may be lost: it is an average. */
  #measure(average: typeof averageConnectMs, tookMs: number): void {
    const nowMs = this.#nowMs();
    const formerMs = this.#layout.float(this.#slot, AVERAGE);
    const ageMs = nowMs - this.#layout.float(this.#slot, MEASURED_AT);
    const averageMs = average(Number.isNaN(formerMs) ? undefined : formerMs, tookMs, ageMs);
    this.#layout.setFloat(this.#slot, AVERAGE, averageMs);
    this.#layout.setFloat(this.#slot, MEASURED_AT, nowMs);
  }
}

/** Reads and writes the memory. Its views follow the memory as it grows. */
class Layout {
  readonly #floats: Float64Array;
  readonly #integers: Int32Array;
  readonly #floatStride: number;
  readonly #integerStride: number;

  constructor({ memory, workers }: WorkerMemory) {
    this.#floats = new Float64Array(memory);
    this.#integers = new Int32Array(memory);
    this.#floatStride = slotBytes(workers) / Float64Array.BYTES_PER_ELEMENT;
    this.#integerStride = slotBytes(workers) / Int32Array.BYTES_PER_ELEMENT;
  }

  float(slot: number, field: number): number {
    return this.#floats[slot * this.#floatStride + field] ?? Number.NaN;
  }

  setFloat(slot: number, field: number, value: number): void {
    this.#floats[slot * this.#floatStride + field] = value;
  }

  active(slot: number): number {
    return readTally(this.#integers, this.#integer(slot, ACTIVE));
  }

  isHealthy(slot: number): boolean {
    return Atomics.load(this.#integers, this.#integer(slot, UNHEALTHY)) === 0;
  }

  setHealthy(slot: number, isHealthy: boolean): void {
    Atomics.store(this.#integers, this.#integer(slot, UNHEALTHY), isHealthy ? 0 : 1);
  }

  count(slot: number, worker: number, change: 1 | -1): void {
    addToTally(this.#integers, this.#integer(slot, ACTIVE), worker, change);
  }

  countBelow(slot: number, worker: number, most: number): boolean {
    return addBelow(this.#integers, this.#integer(slot, ACTIVE), worker, most);
  }

  forget(slot: number, worker: number): void {
    setShare(this.#integers, this.#integer(slot, ACTIVE), worker, 0);
  }

  clear(slot: number): void {
    this.setFloat(slot, AVERAGE, Number.NaN);
    this.setFloat(slot, MEASURED_AT, 0);
    this.setFloat(slot, ASKED_AT, 0);
    this.setHealthy(slot, true);
  }

  #integer(slot: number, field: number): number {
    return slot * this.#integerStride + FLOATS * 2 + field;
  }
}

/** A multiple of eight, so that the floats of every slot are aligned. */
function slotBytes(workers: number): number {
  const integers = ACTIVE + tallyLength(workers);
  return FLOATS * Float64Array.BYTES_PER_ELEMENT + Math.ceil(integers / 2) * 2 * Int32Array.BYTES_PER_ELEMENT;
}
