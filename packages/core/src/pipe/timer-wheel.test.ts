import { FakeClock } from '@apisix-ts/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TimerWheel, WheelEntry } from './timer-wheel.ts';

describe('timer wheel', () => {
  test.for([1, 99, 100, 101, 2500, 51_200, 51_300, 600_000])(
    'a deadline in %i ms is not early, and late by less than two ticks',
    (delayMs) => {
      const { clock, wheel } = create();
      clock.advance(37);
      const entry = new Alarm(clock);

      wheel.add(entry, delayMs);
      clock.advance(delayMs + 1000);

      expect(entry.rangMs).toHaveLength(1);
      expect(entry.rangMs[0]).toBeGreaterThanOrEqual(37 + delayMs);
      expect(entry.rangMs[0]).toBeLessThan(37 + delayMs + 200);
    },
  );

  test('any number of deadlines keep to that, whatever is added and removed between', () => {
    const steps = fc.array(
      fc.record({
        delayMs: fc.integer({ min: 1, max: 120_000 }),
        passMs: fc.nat(30_000),
        isRemoved: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(steps, (list) => {
        const { clock, wheel } = create();
        const added = list.map(({ delayMs, passMs, isRemoved }) => {
          const entry = new Alarm(clock);
          const dueMs = clock.nowMs() + delayMs;
          wheel.add(entry, delayMs);
          if (isRemoved) wheel.remove(entry);
          clock.advance(passMs);
          return { entry, dueMs, isRemoved };
        });
        clock.advance(200_000);
        for (const { entry, dueMs, isRemoved } of added) {
          expect(entry.rangMs).toHaveLength(isRemoved ? 0 : 1);
          for (const rangMs of entry.rangMs) {
            expect(rangMs).toBeGreaterThanOrEqual(dueMs);
            expect(rangMs).toBeLessThan(dueMs + 200);
          }
        }
        expect(wheel.size).toBe(0);
      }),
    );
  });

  test('the clock is used only while somebody waits', () => {
    const { clock, wheel } = create();
    const entry = new Alarm(clock);
    expect(clock.running).toBe(0);

    wheel.add(entry, 1000);
    expect(clock.running).toBe(1);
    wheel.remove(entry);
    wheel.remove(entry);
    expect(clock.running).toBe(0);
    clock.advance(10_000);
    wheel.add(entry, 1000);
    clock.advance(1200);

    expect(entry.rangMs).toHaveLength(1);
    expect(clock.running).toBe(0);
  });

  test('an entry that asks for more time is asked again', () => {
    const { clock, wheel } = create();
    const entry = new Alarm(clock, [5000, 5000, 0]);

    wheel.add(entry, 5000);
    clock.advance(60_000);

    expect(entry.rangMs).toHaveLength(3);
    expect(entry.rangMs[2]).toBeGreaterThanOrEqual(15_000);
    expect(wheel.size).toBe(0);
  });

  test('adding an entry that waits moves its deadline', () => {
    const { clock, wheel } = create();
    const entry = new Alarm(clock);

    wheel.add(entry, 1000);
    wheel.add(entry, 9000);
    clock.advance(8000);
    expect(entry.rangMs).toEqual([]);
    clock.advance(2000);

    expect(entry.rangMs).toHaveLength(1);
  });

  test('an entry may remove its neighbours and itself when it is due', () => {
    const { clock, wheel } = create();
    const entries = Array.from({ length: 3 }, () => new Alarm(clock));
    for (const entry of entries) entry.onDueDo = () => entries.forEach((each) => wheel.remove(each));

    for (const entry of entries) wheel.add(entry, 1000);
    clock.advance(5000);

    expect(entries.flatMap((entry) => entry.rangMs)).toHaveLength(1);
    expect(clock.running).toBe(0);
  });

  test('after a long halt of the event loop everything overdue is told at once', () => {
    const { clock, wheel } = create();
    const entries = [100, 5000, 60_000, 3_600_000].map((delayMs) => {
      const entry = new Alarm(clock);
      wheel.add(entry, delayMs);
      return entry;
    });

    clock.leap(600_000);

    expect(entries.map((entry) => entry.rangMs.length)).toEqual([1, 1, 1, 0]);
  });
});

class Alarm extends WheelEntry {
  readonly rangMs: number[] = [];
  onDueDo: (() => void) | undefined;
  readonly #clock: FakeClock;
  readonly #answers: number[];

  constructor(clock: FakeClock, answers: number[] = []) {
    super();
    this.#clock = clock;
    this.#answers = answers;
  }

  override onDue(): number {
    this.rangMs.push(this.#clock.nowMs());
    this.onDueDo?.();
    return this.#answers.shift() ?? 0;
  }
}

function create(): { clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  return { clock, wheel: new TimerWheel(clock) };
}
