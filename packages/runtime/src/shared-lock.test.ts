import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { lock, unlock, unlockOf } from './shared-lock.ts';

const program = new URL('./testing/locking-thread.ts', import.meta.url);

/** A lock, a number that is changed only by those who hold it, and how many threads are still to come. */
function scene(threads: number): { integers: Int32Array; begin: (worker: number, rounds: number) => Worker } {
  const integers = new Int32Array(new SharedArrayBuffer(12));
  integers[2] = threads;
  return {
    integers,
    begin: (worker, rounds) => new Worker(program, { workerData: { integers, worker, rounds } }),
  };
}

test('one thread at a time holds it', async () => {
  const { integers, begin } = scene(3);

  const threads = [begin(0, 1_000_000), begin(1, 1_000_000), begin(2, 1_000_000)];
  await Promise.all(threads.map((thread) => once(thread, 'exit')));

  expect([...integers]).toEqual([0, 3_000_000, 0]);
});

test('what a worker held when it died is free once that is known', async () => {
  const { integers, begin } = scene(1);
  lock(integers, 0, 1);
  const waiting = begin(0, 1);
  while (Atomics.load(integers, 2) > 0) await once(waiting, 'message');

  unlockOf(integers, 0, 2);
  expect([...integers]).toEqual([2, 0, 0]);
  unlockOf(integers, 0, 1);
  await once(waiting, 'exit');

  expect([...integers]).toEqual([0, 1, 0]);
});

test('it can be taken again', () => {
  const { integers } = scene(0);

  lock(integers, 0, 4);
  unlock(integers, 0);
  lock(integers, 0, 5);

  expect(integers[0]).toBe(6);
});
