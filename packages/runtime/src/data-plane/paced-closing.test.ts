import { TimerWheel } from '@apisix-ts/core';
import { FakeClock } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import type { OpenSession } from './open-session.ts';
import { PacedClosing } from './paced-closing.ts';
import type { PacedClosingOptions } from './paced-closing.ts';

interface FakeSession extends OpenSession {
  idleMs: number;
}

/** Sessions of a worker, and when, in milliseconds, each of them was closed. */
function scene(idleMs: readonly number[]) {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const open = new Set<OpenSession & { idleMs: number }>();
  const closedAtMs = new Map<number, number>();
  for (const [index, idle] of idleMs.entries()) {
    // Only what the closing looks at.
    open.add({ number: index, state: 'relaying', idleMs: idle } as FakeSession);
  }
  const start = (options: Partial<PacedClosingOptions> = {}): PacedClosing =>
    new PacedClosing([open], wheel, {
      windowMs: 240_000,
      isMeant: () => true,
      close: (session) => {
        closedAtMs.set(session.number, clock.nowMs());
        open.delete(session);
      },
      sparesBusy: false,
      random: () => 0.5,
      ...options,
    });
  const countBetween = (fromMs: number, toMs: number): number =>
    [...closedAtMs.values()].filter((atMs) => atMs >= fromMs && atMs < toMs).length;
  return { clock, open, closedAtMs, countBetween, start };
}

const idle = 60_000;
const busy = 0;

describe('over its window', () => {
  test.for([
    { count: 1000, windowMs: 240_000 },
    { count: 20_000, windowMs: 60_000 },
    { count: 500, windowMs: 5_000 },
  ])('$count sessions are closed evenly in $windowMs ms: no storm', ({ count, windowMs }) => {
    const { clock, open, countBetween, start } = scene(Array.from({ length: count }, () => idle));
    start({ windowMs });

    clock.advance(windowMs + 300);

    expect(open.size).toBe(0);
    const tenthMs = windowMs / 10;
    for (let part = 0; part < 10; part += 1) {
      const closed = countBetween(part * tenthMs, (part + 1) * tenthMs);
      expect(closed).toBeGreaterThan(count * 0.05);
      expect(closed).toBeLessThan(count * 0.15);
    }
    // At no moment are there many.
    const mostAtOnce = Math.ceil(count * (400 / windowMs)) + 1;
    for (let atMs = 0; atMs < windowMs; atMs += 100) {
      expect(countBetween(atMs, atMs + 100)).toBeLessThanOrEqual(mostAtOnce);
    }
  });

  test('a few sessions are spread as well', () => {
    const { clock, closedAtMs, start } = scene([idle, idle, idle]);
    start();

    clock.advance(240_300);

    const times = [...closedAtMs.values()];
    expect(times).toHaveLength(3);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(30_000);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThan(30_000);
  });

  test('workers with a session each close them at different times', () => {
    const times = [0.1, 0.4, 0.7].map((random) => {
      const { clock, closedAtMs, start } = scene([idle]);
      start({ random: () => random });
      clock.advance(240_300);
      return closedAtMs.get(0);
    });

    expect(new Set(times).size).toBe(3);
  });

  test('fewer are closed when sessions end by themselves', () => {
    const { clock, open, closedAtMs, start } = scene(Array.from({ length: 1000 }, () => idle));
    start();

    clock.advance(120_000);
    const before = closedAtMs.size;
    for (const session of [...open].slice(0, open.size - 10)) open.delete(session);
    clock.advance(115_000);

    expect(before).toBeGreaterThan(450);
    expect(closedAtMs.size - before).toBeLessThanOrEqual(10 + 1000 / 8);
    expect(closedAtMs.size - before).toBeGreaterThan(5);
  });
});

describe('sessions that move bytes', () => {
  test('come after those that do not', () => {
    const { clock, closedAtMs, start } = scene([busy, idle, busy, idle, busy, idle, busy, idle]);
    start();

    clock.advance(240_300);

    const order = [...closedAtMs].sort(([, left], [, right]) => left - right).map(([number]) => number);
    expect(order.slice(0, 4).toSorted((left, right) => left - right)).toEqual([1, 3, 5, 7]);
    expect(order).toHaveLength(8);
  });

  test('are left alone where they are spared, until they are idle', () => {
    const { clock, open, closedAtMs, start } = scene(Array.from({ length: 16 }, () => busy));
    start({ sparesBusy: true });

    clock.advance(120_000);
    expect(closedAtMs.size).toBe(0);

    for (const session of open) session.idleMs = session.number < 8 ? idle : busy;
    clock.advance(120_300);
    expect([...closedAtMs.keys()].toSorted((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

test('what begins or is meant later has its turn too, and what is not meant never', () => {
  const { clock, open, closedAtMs, start } = scene([idle, idle]);
  start({ isMeant: ({ number }) => number !== 1 });

  clock.advance(200_000);
  open.add({ number: 2, state: 'relaying', idleMs: busy } as FakeSession);
  clock.advance(40_300);

  expect([...closedAtMs.keys()]).toEqual([0, 2]);
});

test('a session that is closing already is not closed again', () => {
  const { clock, open, closedAtMs, start } = scene([idle]);
  for (const session of open) Object.assign(session, { state: 'closing' });
  start();

  clock.advance(240_300);

  expect(closedAtMs.size).toBe(0);
});

test('without a window all are closed at the next tick', () => {
  const { clock, open, start } = scene([idle, busy, busy]);
  start({ windowMs: 0 });

  clock.advance(300);

  expect(open.size).toBe(0);
});

test('nothing is closed after it was cancelled, and no timer runs on', () => {
  const { clock, open, start } = scene([idle, idle]);
  const closing = start();

  closing.cancel();
  closing.cancel();
  clock.advance(240_300);

  expect([open.size, clock.running]).toEqual([2, 0]);
});
