/** Time that moves when the test says so. */
export class FakeClock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly intervalMs: number; dueMs: number; readonly tick: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  /** Calls `tick` every `intervalMs` of this clock until the returned function is called. */
  every(intervalMs: number, tick: () => void): () => void {
    const timer = { intervalMs, dueMs: this.#nowMs + intervalMs, tick };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Timers that are running. */
  get running(): number {
    return this.#timers.size;
  }

  /** Moves on, and stops at every timer that is due on the way. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = next.dueMs;
      next.dueMs += next.intervalMs;
      next.tick();
    }
    this.#nowMs = untilMs;
  }

  /** Moves on in one leap, as a clock does for a thread that was stopped: every timer that is due fires once. */
  leap(byMs: number): void {
    this.#nowMs += byMs;
    for (const timer of this.#timers) {
      if (timer.dueMs > this.#nowMs) continue;
      timer.dueMs = this.#nowMs + timer.intervalMs;
      timer.tick();
    }
  }

  #next(
    untilMs: number,
  ): { readonly intervalMs: number; dueMs: number; readonly tick: () => void } | undefined {
    let first;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
