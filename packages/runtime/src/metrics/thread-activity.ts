import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How busy a thread is. */
export interface ThreadActivity {
  /** It has worked this long since its start. Seconds. */
  readonly activeSeconds: number;
  /** And waited for something to do. Seconds. */
  readonly idleSeconds: number;
  /** How late its timers were. Seconds, by the share of them that were no later: 0.5, 0.9, 0.99, 1. */
  readonly delays: ReadonlyMap<number, number>;
}

/** How often the delay is looked at: a tenth of a percent of a core for each thread. Milliseconds. */
const RESOLUTION_MS = 100;
/** Delays are those of at least this long, so that it does not matter who asks how often. Milliseconds. */
const WINDOW_MS = 10_000;
const SHARES = [0.5, 0.9, 0.99, 1] as const;

/** Watches the thread that made it, from the first time that somebody asks. */
export class ActivityMonitor {
  #histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #sinceMs = 0;
  /** Of the last window that is over. */
  #delays: ReadonlyMap<number, number> = new Map();

  read(): ThreadActivity {
    const { active, idle } = performance.eventLoopUtilization();
    return { activeSeconds: active / 1000, idleSeconds: idle / 1000, delays: this.#readDelays() };
  }

  /** Idempotent. */
  close(): void {
    this.#histogram?.disable();
  }

  #readDelays(): ReadonlyMap<number, number> {
    const nowMs = performance.now();
    if (this.#histogram === undefined) {
      this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      this.#histogram.enable();
      this.#sinceMs = nowMs;
    }
    const histogram = this.#histogram;
    if (histogram.count === 0) return this.#delays;
    const isOver = nowMs - this.#sinceMs >= WINDOW_MS;
    if (!isOver && this.#delays.size > 0) return this.#delays;
    // What is recorded is the time between two looks.
    const delays = new Map(
      SHARES.map((share) => [
        share,
        Math.max(0, histogram.percentile(share * 100) / 1e9 - RESOLUTION_MS / 1000),
      ]),
    );
    if (!isOver) return delays;
    this.#delays = delays;
    histogram.reset();
    this.#sinceMs = nowMs;
    return delays;
  }
}
