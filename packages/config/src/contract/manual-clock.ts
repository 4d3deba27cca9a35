import type { Clock } from '../store/clock.ts';

export interface ManualClock extends Clock {
  /** Moves the time on, and makes the calls that fall due on the way, earliest first. */
  advance(ms: number): void;
}

/** A clock that stands still until it is moved. It starts at 2023-11-14T22:13:20Z. */
export function createManualClock(): ManualClock {
  const alarms = new Set<{ at: number; callback: () => void }>();
  let now = 1_700_000_000_000;
  return {
    now: () => now,
    after(delayMs, callback) {
      const alarm = { at: now + Math.max(0, delayMs), callback };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...alarms].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        alarms.delete(next);
        now = next.at;
        next.callback();
      }
      now = end;
    },
  };
}
