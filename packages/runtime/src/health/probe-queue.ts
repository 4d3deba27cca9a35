/** A probe that waits for its turn. */
export interface QueuedProbe {
  /** Begins. It does not leave before this returns. */
  start(): void;
}

/** The probes of one upstream. */
export interface ProbeLine {
  readonly concurrency: number;
  readonly waiting: Set<QueuedProbe>;
  readonly running: Set<QueuedProbe>;
}

export function createLine(concurrency: number): ProbeLine {
  return { concurrency, waiting: new Set(), running: new Set() };
}

/**
 * Bounds the probes under way: those of each line by its `concurrency`, and all of them together. Within a line the
 * first to come is the first to start, and lines take turns, so a long one does not hold up the others.
 */
export class ProbeQueue {
  readonly #limit: number;
  #running = 0;
  /** Lines that could start a probe if the limit allowed it. The first one is next. */
  readonly #ready = new Set<ProbeLine>();

  /** @param limit probes of all lines together, ≥ 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts the probe at once, or later. */
  enter(line: ProbeLine, probe: QueuedProbe): void {
    line.waiting.add(probe);
    this.#serve(line);
  }

  /** Takes back a probe that still waits; one that runs is left alone. */
  withdraw(line: ProbeLine, probe: QueuedProbe): void {
    line.waiting.delete(probe);
    if (!canStart(line)) this.#ready.delete(line);
  }

  /** The probe is over, or no longer wanted. Idempotent. */
  leave(line: ProbeLine, probe: QueuedProbe): void {
    line.waiting.delete(probe);
    if (line.running.delete(probe)) this.#running -= 1;
    this.#serve(line);
  }

  #serve(changed: ProbeLine): void {
    if (!canStart(changed)) this.#ready.delete(changed);
    else this.#ready.add(changed);
    for (const line of this.#ready) {
      if (this.#running >= this.#limit) return;
      this.#ready.delete(line);
      this.#startNext(line);
      // At the end, where this loop finds it again.
      if (canStart(line)) this.#ready.add(line);
    }
  }

  #startNext(line: ProbeLine): void {
    const [probe] = line.waiting;
    if (probe === undefined) return;
    line.waiting.delete(probe);
    line.running.add(probe);
    this.#running += 1;
    probe.start();
  }
}

function canStart({ concurrency, waiting, running }: ProbeLine): boolean {
  return waiting.size > 0 && running.size < concurrency;
}
