/** Where a wheel gets its time from. Monotonic; the zero point does not matter. */
export interface WheelClock {
  /** Milliseconds. */
  nowMs(): number;
  /** Calls `tick` every `intervalMs` until the returned function is called. Late and merged calls are allowed. */
  every(intervalMs: number, tick: () => void): () => void;
}

/** Something with a deadline. It may be in one wheel, once. */
export abstract class WheelEntry {
  /** @internal The wheel's own links. */
  next: WheelEntry | undefined;
  /** @internal */
  previous: WheelEntry | undefined;
  /** @internal */
  dueTick = -1;

  /**
   * The deadline passed.
   * @returns milliseconds until it wants to be asked again; 0 to leave the wheel. An entry that only notes `wheel.nowMs`
   * when something happens, and computes the rest here, re-arms its time-out without touching a timer.
   */
  abstract onDue(nowMs: number): number;
}

/** Slots of a wheel: with the default tick one turn is 51 s, and longer waits just stay for another turn. */
const slotCount = 512;

/**
 * One coarse timer for any number of deadlines: adding and removing is a few stores, a tick costs what is due.
 * A deadline is never early, and late by less than two ticks (plus what the event loop is late itself). The timer runs
 * only while there are entries.
 */
export class TimerWheel {
  /** Milliseconds, as of the last tick: reading it costs a load. Stands still while the wheel is empty. */
  nowMs: number;
  readonly tickMs: number;
  readonly #clock: WheelClock;
  readonly #slots: (WheelEntry | undefined)[] = Array.from({ length: slotCount });
  #tick: number;
  #size = 0;
  #stop: (() => void) | undefined;

  /** @param tickMs the resolution, milliseconds; default 100. */
  constructor(clock: WheelClock, tickMs = 100) {
    this.#clock = clock;
    this.tickMs = tickMs;
    this.nowMs = clock.nowMs();
    this.#tick = Math.floor(this.nowMs / tickMs);
  }

  /** Entries waiting. */
  get size(): number {
    return this.#size;
  }

  /** Asks the entry in `delayMs` (> 0) milliseconds from now. An entry that waits already gets the new deadline. */
  add(entry: WheelEntry, delayMs: number): void {
    this.remove(entry);
    if (this.#stop === undefined) this.#start();
    this.#link(entry, delayMs);
  }

  /** Takes the entry out; one that is not in is left alone. */
  remove(entry: WheelEntry): void {
    if (entry.dueTick < 0) return;
    this.#unlink(entry);
    if (this.#size === 0) this.#halt();
  }

  #link(entry: WheelEntry, delayMs: number): void {
    // One more tick, because `nowMs` is up to one behind.
    entry.dueTick = this.#tick + Math.ceil(delayMs / this.tickMs) + 1;
    const slot = entry.dueTick % slotCount;
    const head = this.#slots[slot];
    entry.next = head;
    entry.previous = undefined;
    if (head !== undefined) head.previous = entry;
    this.#slots[slot] = entry;
    this.#size += 1;
  }

  #unlink(entry: WheelEntry): void {
    const { next, previous } = entry;
    if (next !== undefined) next.previous = previous;
    if (previous === undefined) this.#slots[entry.dueTick % slotCount] = next;
    else previous.next = next;
    entry.next = undefined;
    entry.previous = undefined;
    entry.dueTick = -1;
    this.#size -= 1;
  }

  #start(): void {
    this.nowMs = this.#clock.nowMs();
    this.#tick = Math.floor(this.nowMs / this.tickMs);
    this.#stop = this.#clock.every(this.tickMs, () => this.#turn());
  }

  #halt(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #turn(): void {
    this.nowMs = this.#clock.nowMs();
    const target = Math.floor(this.nowMs / this.tickMs);
    // After a long halt of the event loop every slot is visited once, not once for every missed turn.
    const first = Math.max(this.#tick + 1, target - slotCount + 1);
    this.#tick = target;
    for (let tick = first; tick <= target; tick += 1) this.#visit(tick % slotCount);
    if (this.#size === 0) this.#halt();
  }

  /** Takes what is due out first: `onDue` may add and remove entries, of this slot too. */
  #visit(slot: number): void {
    let due: WheelEntry[] | undefined;
    for (let entry = this.#slots[slot]; entry !== undefined; entry = entry.next) {
      if (entry.dueTick <= this.#tick) (due ??= []).push(entry);
    }
    if (due === undefined) return;
    for (const entry of due) {
      // Removed by an earlier one's `onDue`, or given a later deadline.
      if (entry.dueTick < 0 || entry.dueTick > this.#tick) continue;
      this.#unlink(entry);
      const againMs = entry.onDue(this.nowMs);
      if (againMs > 0) this.add(entry, againMs);
    }
  }
}
