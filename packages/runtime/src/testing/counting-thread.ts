/** A thread whose sessions come and go by chance, as a worker's do. It says `counting` when it has begun, and ends after its rounds. */
import { parentPort, workerData } from 'node:worker_threads';
import { WorkerSessionCounts } from '../shared-session-counts.ts';
import type { WorkerMemory } from '../shared-tally.ts';

export interface CountingThread {
  readonly shared: WorkerMemory;
  readonly worker: number;
  readonly keys: readonly string[];
  readonly most: number;
  /** How often one comes or goes. */
  readonly rounds: number;
  /** In shared memory, as `sure`: the sessions that it has, for each key. */
  readonly mine: Int32Array;
  /** For each key, sessions that all threads are sure to have; then how often these were too many. */
  readonly sure: Int32Array;
}

const { shared, worker, keys, most, rounds, mine, sure } = workerData as CountingThread; // as the test starts it
const counts = new WorkerSessionCounts(shared, worker);

parentPort?.postMessage('counting');
for (let round = 0; round < rounds; round++) {
  const place = Math.floor(Math.random() * keys.length);
  const key = keys[place] ?? '';
  if (Atomics.load(mine, place) > 0 && Math.random() < 0.5) {
    Atomics.sub(sure, place, 1);
    counts.leave(key);
    Atomics.sub(mine, place, 1);
  } else if ((counts.enter(key, most) ?? 0) > 0) {
    Atomics.add(mine, place, 1);
    if (Atomics.add(sure, place, 1) >= most) Atomics.add(sure, keys.length, 1);
  }
}
