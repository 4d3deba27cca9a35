import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

export interface PaceOptions {
  /** Work until everything else in the process gets its turn. Milliseconds; default 4. */
  readonly sliceMs?: number;
  /**
   * The thread sleeps this long between slices, so that the system gives its core to others: one that only lets others in the
   * process have their turns keeps it for milliseconds. Milliseconds; default 0: it does not.
   */
  readonly pauseMs?: number;
  /** Work that takes longer than this in all, pauses included, goes on without them. Milliseconds; default: none does. */
  readonly patienceMs?: number;
}

/**
 * Keeps long work from holding up sessions, health checks, changes and other requests, which live in the same thread or have a
 * core in common with it. Called after each step; what it returns has to be awaited before the next one.
 */
export function createPace(options: PaceOptions = {}): () => Promise<void> | undefined {
  const { sliceMs = 4, pauseMs = 0, patienceMs = Number.POSITIVE_INFINITY } = options;
  let startedMs = performance.now();
  const hastensAtMs = startedMs + patienceMs;
  return () => {
    const nowMs = performance.now();
    if (nowMs - startedMs < sliceMs) return undefined;
    // Timers count whole milliseconds, the one under way included.
    const mayPause = pauseMs > 0 && nowMs < hastensAtMs;
    const pause: Promise<unknown> = mayPause ? sleep(pauseMs + 1) : nextTurn();
    return pause.then(() => {
      startedMs = performance.now();
    });
  };
}
