import { describe, expect, test } from 'vitest';
import { Admission, SharedAdmissions } from './shared-admissions.ts';
import { MAX_LISTENERS } from './shared-counters.ts';

/** The doors of two workers, and their clock. */
function scene(): {
  admissions: SharedAdmissions;
  doors: readonly [Admission, Admission];
  pass: (ms: number) => void;
} {
  let nowNs = 5_000_000_000n;
  const admissions = new SharedAdmissions(2);
  const door = (worker: number): Admission => new Admission(admissions.shared, 7, worker, () => nowNs);
  return {
    admissions,
    doors: [door(0), door(1)],
    pass: (ms) => (nowNs += BigInt(ms) * 1_000_000n),
  };
}

/** How many of `count` are let in. */
function letIn(door: Admission, count: number): number {
  return Array.from({ length: count }, () => door.enter()).filter((refusal) => refusal === undefined).length;
}

test('a listener without limits asks nobody', () => {
  const { doors } = scene();

  expect(doors.map(({ isLimited, isCounting }) => isLimited || isCounting)).toEqual([false, false]);
});

describe('sessions at a time', () => {
  test('are limited over all workers', () => {
    const { doors } = scene();
    for (const door of doors) door.update({ maxConnections: 3 }, 0);
    const [first, second] = doors;

    expect([letIn(first, 2), letIn(second, 2)]).toEqual([2, 1]);
    expect(first.enter()).toBe('LISTENER_FULL');

    second.leave();
    expect(letIn(first, 2)).toBe(1);
  });

  test('count from the moment there is a limit, those of before included', () => {
    const { doors } = scene();
    doors[0].update({ maxConnections: 3 }, 2);
    doors[1].update({ maxConnections: 3 }, 0);
    expect(letIn(doors[1], 2)).toBe(1);

    doors[0].leave();
    expect(letIn(doors[1], 2)).toBe(1);
  });

  test('are let in at once when the limit is raised, and not counted when it goes', () => {
    const { doors } = scene();
    const [door] = doors;
    door.update({ maxConnections: 1 }, 0);
    expect(letIn(door, 2)).toBe(1);

    door.update({ maxConnections: 2 }, 1);
    expect(letIn(door, 2)).toBe(1);

    door.update({}, 2);
    door.update({ maxConnections: 2 }, 1);
    expect(letIn(door, 2)).toBe(1);
  });

  test('of a worker that died are over', () => {
    const { admissions, doors } = scene();
    for (const door of doors) door.update({ maxConnections: 2 }, 0);
    letIn(doors[0], 1);
    letIn(doors[1], 1);

    admissions.closeSessionsOf(0);

    expect(letIn(doors[1], 2)).toBe(1);
  });
});

describe('new connections', () => {
  test('come in a burst, then at their rate, over all workers', () => {
    const { doors, pass } = scene();
    for (const door of doors) door.update({ connectionRate: { perSecond: 10, burst: 5 } }, 0);
    const [first, second] = doors;

    expect(letIn(first, 3) + letIn(second, 4)).toBe(5);
    expect(first.enter()).toBe('LISTENER_RATE_EXCEEDED');

    pass(99);
    expect(letIn(first, 1)).toBe(0);
    pass(1);
    expect(letIn(second, 2)).toBe(1);
    pass(300);
    expect(letIn(first, 9)).toBe(3);
  });

  test('never find more than the burst, however long none came', () => {
    const { doors, pass } = scene();
    doors[0].update({ connectionRate: { perSecond: 1000, burst: 2 } }, 0);
    letIn(doors[0], 1);

    pass(3_600_000);

    expect(letIn(doors[0], 9)).toBe(2);
  });

  test('come at a new rate at once, also after a much slower one', () => {
    const { doors, pass } = scene();
    const [door] = doors;
    door.update({ connectionRate: { perSecond: 0.01, burst: 2 } }, 0);
    letIn(door, 2);

    door.update({ connectionRate: { perSecond: 10, burst: 1 } }, 0);

    expect(letIn(door, 1)).toBe(0);
    pass(100);
    expect(letIn(door, 2)).toBe(1);
  });

  test('that come too fast take no place', () => {
    const { doors } = scene();
    const [door] = doors;
    door.update({ maxConnections: 2, connectionRate: { perSecond: 1, burst: 1 } }, 0);
    expect([door.enter(), door.enter(), door.enter()]).toEqual([
      undefined,
      'LISTENER_RATE_EXCEEDED',
      'LISTENER_RATE_EXCEEDED',
    ]);

    door.update({ maxConnections: 2 }, 1);

    expect([door.enter(), door.enter()]).toEqual([undefined, 'LISTENER_FULL']);
  });
});

test('memory is taken by listeners that have a place', () => {
  const { admissions } = scene();
  const { capacityBytes, freeBytes } = admissions.use(0);

  expect(freeBytes).toBe(capacityBytes);
  expect(admissions.use(MAX_LISTENERS / 2).freeBytes).toBe(capacityBytes / 2);
});
