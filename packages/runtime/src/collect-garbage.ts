import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A heap below this is not worth the pause. Bytes. */
const WORTHWHILE = 64 * 1024 * 1024;

/**
 * Gives back what a large first load left behind in this thread: V8 collects when memory is asked for, and a gateway
 * that has started asks for little.
 */
export function collectAfterLoad(): void {
  if (getHeapStatistics().used_heap_size >= WORTHWHILE) collectGarbage();
}

/** Costs the calling thread up to some tenths of a second, and others nothing. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'major'; flavor: 'last-resort' }) => void;
  // This flavour is the one that also compacts and shrinks the young generation.
  collect({ type: 'major', flavor: 'last-resort' });
}
