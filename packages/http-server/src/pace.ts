import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds of work until everything else in the process gets its turn. */
const sliceMs = 4;

/**
 * Keeps long work from holding up health checks, changes and other requests, which live in the same thread. Called
 * after each step; what it returns has to be awaited before the next one.
 */
export function createPace(): () => Promise<void> | undefined {
  let started = performance.now();
  return () => {
    if (performance.now() - started < sliceMs) return undefined;
    return nextTurn().then(() => {
      started = performance.now();
    });
  };
}
