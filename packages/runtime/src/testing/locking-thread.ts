/** A thread that, when all have come, adds to the number beside a lock, in steps that only the lock makes one. */
import { parentPort, workerData } from 'node:worker_threads';
import { lock, unlock } from '../shared-lock.ts';

const { integers, worker, rounds } = workerData as {
  readonly integers: Int32Array;
  readonly worker: number;
  readonly rounds: number;
}; // as the test starts it

Atomics.sub(integers, 2, 1);
parentPort?.postMessage('here');
while (Atomics.load(integers, 2) > 0);
for (let round = 0; round < rounds; round++) {
  lock(integers, 0, worker);
  const found = Atomics.load(integers, 1);
  Atomics.store(integers, 1, found + 1);
  unlock(integers, 0);
}
