import { expect, test } from 'vitest';
import { MAX_LISTENERS, SharedCounters, WorkerCounters } from './shared-counters.ts';

const bytes = { downstreamRead: 1, downstreamWritten: 20, upstreamRead: 300, upstreamWritten: 4000 };

test('the counts of all workers add up, for each listener', () => {
  const counters = new SharedCounters(2);
  const [first, second] = [0, 1].map((worker) => new WorkerCounters(counters.memory, worker));

  first?.sessionOpened(0);
  first?.sessionEnded(0, 'OK', bytes);
  second?.sessionOpened(0);
  second?.sessionOpened(MAX_LISTENERS - 1);
  second?.sessionEnded(MAX_LISTENERS - 1, 'UPSTREAM_RESET', bytes);

  expect(counters.listener(0)).toEqual({
    accepted: 2,
    closed: 1,
    downstreamIngressBytes: 1,
    downstreamEgressBytes: 20,
    upstreamIngressBytes: 300,
    upstreamEgressBytes: 4000,
  });
  expect(counters.listener(1)).toMatchObject({ accepted: 0, closed: 0 });
  expect(counters.listener(MAX_LISTENERS - 1)).toMatchObject({ accepted: 1, closed: 1 });
  expect(counters.sessionsEnded().get('OK')).toBe(1);
  expect(counters.sessionsEnded().get('UPSTREAM_RESET')).toBe(1);
});

test('the successor of a dead worker closes what that one left open, and no count falls', () => {
  const counters = new SharedCounters(1);
  const dead = new WorkerCounters(counters.memory, 0);
  dead.sessionOpened(3);
  dead.sessionOpened(3);
  dead.sessionEnded(3, 'OK', bytes);

  new WorkerCounters(counters.memory, 0).closeInherited();

  expect(counters.listener(3)).toMatchObject({ accepted: 2, closed: 2, downstreamIngressBytes: 1 });
});

test('memory is taken by listeners that have a place', () => {
  const counters = new SharedCounters(2);
  const { capacityBytes, freeBytes } = counters.use(0);

  expect(capacityBytes).toBe(counters.memory.byteLength);
  expect(counters.use(3).freeBytes).toBe(freeBytes - 3 * (freeBytes / MAX_LISTENERS));
  expect(counters.use(MAX_LISTENERS).freeBytes).toBe(0);
});
