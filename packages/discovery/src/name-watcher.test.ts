import { GatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import type { Answer } from './lookup.ts';
import { NameWatcher } from './name-watcher.ts';

/** Keeps what is scheduled until the test lets the time pass. */
class HeldClock implements Clock {
  readonly pending: { readonly delayMs: number; readonly callback: () => void }[] = [];

  after(delayMs: number, callback: () => void): () => void {
    const timer = { delayMs, callback };
    this.pending.push(timer);
    return () => {
      this.pending.splice(this.pending.indexOf(timer), 1);
    };
  }

  /** Lets the one pending timer ring. @returns its delay in milliseconds. */
  ring(): number {
    const timer = this.pending.shift();
    if (timer === undefined) throw new Error('nothing is scheduled');
    timer.callback();
    return timer.delayMs;
  }
}

interface Watched {
  readonly watcher: NameWatcher;
  readonly clock: HeldClock;
  readonly events: unknown[];
  /** Lets the next look-up happen and waits until it is over. @returns the pause before it, in milliseconds. */
  readonly lookAgain: () => Promise<number>;
  readonly asked: string[];
}

/** A watcher whose look-ups have these outcomes, in order; a string is the reason of a failure. */
function watch(...outcomes: readonly (Answer | string)[]): Watched {
  const clock = new HeldClock();
  const events: unknown[] = [];
  const asked: string[] = [];
  const left = [...outcomes];
  const watcher = new NameWatcher({
    clock,
    lookup(name) {
      asked.push(name);
      const outcome = left.shift();
      if (outcome === undefined) throw new Error('one look-up too many');
      if (typeof outcome !== 'string') return Promise.resolve(outcome);
      return Promise.reject(new GatewayError('UPSTREAM_NAME_UNRESOLVED', outcome));
    },
    onChange: (name, addresses) => events.push({ changed: name, addresses }),
    onFailure: (name, error, addresses) => events.push({ failed: name, why: error.message, addresses }),
  });
  return {
    watcher,
    clock,
    events,
    asked,
    lookAgain: async () => {
      const pauseMs = clock.ring();
      while (clock.pending.length === 0) await Promise.resolve();
      return pauseMs;
    },
  };
}

const first: Answer = { addresses: ['192.0.2.1'], ttlSeconds: 30 };

describe('a followed name', () => {
  test('has its addresses once the first answer came, without a report of a change', async () => {
    const { watcher, events } = watch(first);

    const answered = watcher.follow('mysql');
    expect(watcher.addressesOf('mysql')).toEqual([]);
    await answered;

    expect(watcher.addressesOf('mysql')).toEqual(['192.0.2.1']);
    expect(events).toEqual([]);
  });

  test('is asked for again when its TTL is over, and reports only what changed', async () => {
    const { watcher, events, lookAgain } = watch(first, first, { ...first, addresses: ['192.0.2.2'] });
    await watcher.follow('mysql');

    expect(await lookAgain()).toBe(30_000);
    expect(events).toEqual([]);
    await lookAgain();

    expect(events).toEqual([{ changed: 'mysql', addresses: ['192.0.2.2'] }]);
  });

  test('keeps its addresses while look-ups fail, which are repeated at growing pauses', async () => {
    const { watcher, events, lookAgain } = watch(first, 'down', 'down', 'down', 'down', first, first);
    await watcher.follow('mysql');
    await lookAgain();

    expect([await lookAgain(), await lookAgain(), await lookAgain()]).toEqual([1000, 2000, 4000]);
    expect(await lookAgain()).toBe(5000);
    expect(await lookAgain()).toBe(30_000);
    expect(watcher.addressesOf('mysql')).toEqual(['192.0.2.1']);
    expect(events).toHaveLength(4);
    expect(events[0]).toEqual({ failed: 'mysql', why: 'down', addresses: ['192.0.2.1'] });
  });

  test('that fails at first settles without addresses and reports when it gets some', async () => {
    const { watcher, events, lookAgain } = watch('no such name', first);

    await watcher.follow('mysql');
    expect(watcher.addressesOf('mysql')).toEqual([]);
    await lookAgain();

    expect(events).toEqual([
      { failed: 'mysql', why: 'no such name', addresses: [] },
      { changed: 'mysql', addresses: ['192.0.2.1'] },
    ]);
  });

  test.for([
    [0, 1000],
    [4_000_000_000, 86_400_000],
  ] as const)('with a TTL of %i s is asked for again after %i ms', async ([ttlSeconds, pauseMs]) => {
    const { watcher, clock } = watch({ addresses: ['192.0.2.1'], ttlSeconds });

    await watcher.follow('mysql');

    expect(clock.pending[0]?.delayMs).toBe(pauseMs);
  });

  test('is looked up once for all its users and forgotten with the last one', async () => {
    const { watcher, clock, asked } = watch(first);
    await Promise.all([watcher.follow('mysql'), watcher.follow('mysql')]);
    expect(asked).toEqual(['mysql']);

    watcher.unfollow('mysql');
    expect(watcher.addressesOf('mysql')).toEqual(['192.0.2.1']);
    watcher.unfollow('mysql');

    expect(watcher.addressesOf('mysql')).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  test('that is forgotten during its look-up stays forgotten', async () => {
    const { watcher, clock, events } = watch(first);
    const answered = watcher.follow('mysql');

    watcher.close();
    await answered;

    expect(clock.pending).toEqual([]);
    expect(events).toEqual([]);
  });
});
