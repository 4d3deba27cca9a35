import { describe, expect, test } from 'vitest';
import { SharedNodeLoads, WorkerNodeLoads } from './shared-node-loads.ts';
import type { SharedNodeLoad } from './shared-node-loads.ts';

/** Loads of two workers, and their clock. */
function scene(): {
  loads: SharedNodeLoads;
  at: (worker: number, node: string) => SharedNodeLoad;
  pass: (ms: number) => void;
} {
  let nowMs = 1000;
  const loads = new SharedNodeLoads(2);
  return {
    loads,
    at: (worker, node) => new WorkerNodeLoads(loads.shared, worker, () => nowMs).at(loads.slotOf(node)),
    pass: (ms) => (nowMs += ms),
  };
}

describe('sessions', () => {
  test('are counted over all workers', () => {
    const { at } = scene();

    at(0, 'a').begin();
    at(1, 'a').begin();
    at(1, 'b').begin();

    expect([at(0, 'a').active, at(1, 'a').active, at(0, 'b').active]).toEqual([2, 2, 1]);
    at(0, 'a').end();
    expect(at(1, 'a').active).toBe(1);
  });

  test('begin only below a limit, over all workers', () => {
    const { at } = scene();
    at(0, 'a').begin();

    expect([at(1, 'a').beginBelow(2), at(0, 'a').beginBelow(2), at(0, 'b').beginBelow(2)]).toEqual([
      true,
      false,
      true,
    ]);
    at(0, 'a').end();
    expect([at(0, 'a').beginBelow(2), at(1, 'a').active]).toEqual([true, 2]);
  });

  test('of a worker that died are over, those of the others go on', () => {
    const { loads, at } = scene();
    at(0, 'a').begin();
    at(0, 'a').begin();
    at(1, 'a').begin();

    loads.closeSessionsOf(0);

    expect(at(1, 'a').active).toBe(1);
    at(1, 'a').end();
    expect(at(1, 'a').active).toBe(0);
  });
});

describe('a node', () => {
  test('is healthy until told otherwise, for every worker at once', () => {
    const { loads, at } = scene();
    const seen = at(1, 'a');
    expect(seen.isHealthy).toBe(true);

    loads.setHealthy('a', false);
    expect(seen.isHealthy).toBe(false);

    loads.setHealthy('a', true);
    expect(seen.isHealthy).toBe(true);
  });

  test('has the average of what all workers measured', () => {
    const { at, pass } = scene();
    expect(at(0, 'a').connectMs).toBeUndefined();

    at(0, 'a').begin();
    at(0, 'a').connected(50);
    expect(at(1, 'a').connectMs).toBe(50);

    pass(10_000);
    at(1, 'a').begin();
    at(1, 'a').connected(10);
    expect(at(0, 'a').connectMs).toBeCloseTo(10 + 40 / Math.E);
  });

  test('that failed looks slow', () => {
    const { at } = scene();
    at(0, 'a').begin();
    at(0, 'a').failed(0.1);

    expect(at(0, 'a').connectMs).toBe(1000);
  });
});

describe('a slot', () => {
  test('stays with its node', () => {
    const { loads } = scene();

    expect(loads.slotOf('a')).toBe(loads.slotOf('a'));
    expect(loads.slotOf('a')).not.toBe(loads.slotOf('b'));
  });

  test('is used again once the last session of its former node has ended, and then knows nothing', () => {
    const { loads, at } = scene();
    const slot = loads.slotOf('a');
    const session = at(0, 'a');
    session.begin();
    session.connected(7);
    loads.setHealthy('a', false);
    loads.release('a');
    expect(loads.slotOf('b')).not.toBe(slot);

    session.end();

    expect(loads.slotOf('c')).toBe(slot);
    expect(at(1, 'c')).toMatchObject({ active: 0, connectMs: undefined, isHealthy: true });
  });

  test('takes memory until it is released', () => {
    const { loads } = scene();
    const { capacityBytes, freeBytes } = loads.use;
    expect(freeBytes).toBe(capacityBytes);

    loads.slotOf('a');
    loads.slotOf('b');
    const bytes = (freeBytes - loads.use.freeBytes) / 2;
    expect(bytes).toBeGreaterThan(0);
    loads.release('a');

    expect(loads.use).toEqual({ name: 'node-loads', capacityBytes, freeBytes: capacityBytes - bytes });
  });

  test('can be had for far more nodes than at first', () => {
    const { loads, at } = scene();
    for (let node = 0; node < 5000; node++) loads.slotOf(String(node));

    at(1, '4999').begin();

    expect(at(0, '4999').active).toBe(1);
    expect(at(0, '4998').active).toBe(0);
  });
});
