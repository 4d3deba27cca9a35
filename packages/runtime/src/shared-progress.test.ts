import { expect, test } from 'vitest';
import { SharedProgress, WorkerProgress } from './shared-progress.ts';

test('a worker that writes its revision down leaves that of another alone', () => {
  const progress = new SharedProgress(2);
  const beforeMs = Date.now();

  // etcd's revisions have 64 bits; more than 32 are used after years.
  new WorkerProgress(progress.shared, 1).set(2 ** 40);

  expect([progress.revisionOf(0), progress.revisionOf(1)]).toEqual([0, 2 ** 40]);
  expect(progress.appliedAtMs(1)).toBeGreaterThanOrEqual(beforeMs);
});

test('a worker that follows another one in its place begins anew', () => {
  const progress = new SharedProgress(1);
  new WorkerProgress(progress.shared, 0).set(5);

  progress.reset(0);
  const replaced = progress.revisionOf(0);
  new WorkerProgress(progress.shared, 0).set(5);

  expect([replaced, progress.revisionOf(0)]).toEqual([0, 5]);
});
