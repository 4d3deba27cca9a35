import { GatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { createManualClock } from '../contract/index.ts';
import type { ManualClock } from '../contract/index.ts';
import { followStore } from './follow-store.ts';
import type { FollowOptions, FollowState } from './follow-store.ts';
import { createMemoryStore } from './memory-store.ts';
import type { MemoryStore } from './memory-store.ts';
import type { Revision, Store, StoreEntry } from './store.ts';

describe('what is delivered', () => {
  test('a snapshot, and then each change', async (context) => {
    const { store, start } = setUp();
    await store.writer.put('a', '1');
    const follower = start(context);
    await follower.said('following');

    await store.writer.put('b', '2');
    await store.writer.delete('a');
    await follower.said('change 4');

    expect(follower.log).toEqual(['connecting', 'snapshot 2', 'following 2', 'change 3', 'change 4']);
    expect(follower.content()).toEqual({ b: '2' });
  });

  test('a history that is gone is replaced by a snapshot, at once', async (context) => {
    const { store, start } = setUp({ historyLength: 2 });
    const follower = start(context);
    await follower.said('following');

    await Promise.all(['a', 'b', 'c', 'd'].map((key) => store.writer.put(key, key)));
    await follower.said('snapshot 5');
    await store.writer.put('e', 'e');
    await follower.said('change 6');

    expect(follower.log).not.toContain('away STORE_COMPACTED');
    expect(follower.content()).toEqual({ a: 'a', b: 'b', c: 'c', d: 'd', e: 'e' });
  });

  test('a store that was wiped is loaded again, at once, and what is gone is gone', async (context) => {
    const { store, start } = setUp();
    await store.writer.put('a', '1');
    const follower = start(context);
    await follower.said('following 2');

    store.wipe();
    await follower.said('following 1');
    await store.writer.put('b', '2');
    await follower.said('change 2');

    expect(follower.content()).toEqual({ b: '2' });
  });

  test('whatever fails and whenever, the follower ends up with what the store has', async (context) => {
    const { store, clock, faults, start } = setUp({ historyLength: 20 });
    const follower = start(context);
    await follower.said('following');

    for (let round = 0; round < 100; round += 1) {
      const writes = [0, 1, 2, 3].map((n) => store.writer.put(`k${(round * n) % 7}`, `${round}/${n}`));
      if (round % 3 === 0) faults.breakWatches('STORE_UNREACHABLE');
      if (round % 5 === 0) faults.failLoads.push('STORE_UNREACHABLE', 'STORE_DENIED');
      if (round % 7 === 0) await store.writer.delete('k0');
      if (round % 11 === 0) store.compact();
      if (round % 31 === 30) store.wipe();
      await Promise.all(writes);
      clock.advance(10_000);
    }
    const { revision } = await store.writer.put('last', 'of all');
    faults.failLoads.length = 0;
    const arrived = Promise.race([
      follower.said(`change ${revision}`),
      follower.said(`snapshot ${revision}`),
    ]);
    // A watch that broke just now may only begin its pause.
    do {
      clock.advance(100_000);
    } while (!(await Promise.race([arrived.then(() => true), turn().then(() => false)])));

    const { entries } = await store.load(new AbortController().signal);
    expect(follower.content()).toEqual(Object.fromEntries(entries.map(({ key, value }) => [key, value])));
    expect(follower.mistakes).toEqual([]);
    expect(follower.log).toEqual(
      expect.arrayContaining(['away STORE_UNREACHABLE', 'away STORE_DENIED', 'following 1']),
    );
  });
});

describe('when the store is away', () => {
  test('it is tried again after 1, 2, 4, 8, 16, 32 and then always 5 s, and the state says why', async (context) => {
    const { clock, faults, start } = setUp();
    faults.failLoads.push(...Array.from({ length: 9 }, () => 'STORE_UNREACHABLE' as const));
    const follower = start(context);

    for (const [index, seconds] of [1, 2, 4, 8, 16, 32, 5, 5].entries()) {
      await follower.failed(index + 1);
      clock.advance(seconds * 1000 - 1);
      await turn();
      expect(faults.loads).toBe(index + 1);
      clock.advance(1);
    }
    await follower.failed(9);

    expect(new Set(follower.states.map(({ state }) => state))).toEqual(new Set(['connecting', 'away']));
    expect(follower.states.at(-1)).toMatchObject({
      revision: undefined,
      error: { code: 'STORE_UNREACHABLE' },
    });
    expect(new Set(follower.states.map(({ since }) => since)).size).toBe(1);
  });

  test('the pause is stretched by up to a half', async (context) => {
    const { clock, faults, start } = setUp();
    faults.failLoads.push('STORE_UNREACHABLE');
    const follower = start(context, { random: () => 0.5 });
    await follower.failed(1);

    clock.advance(1249);
    await turn();
    expect(faults.loads).toBe(1);
    clock.advance(1);
    await follower.said('following');
  });

  test('a broken watch is followed by a pause and a load, and the state keeps the revision', async (context) => {
    const { store, clock, faults, start } = setUp();
    const follower = start(context);
    await follower.said('following');
    await store.writer.put('a', '1');
    await follower.said('change 2');

    clock.advance(5000);
    faults.breakWatches('STORE_UNREACHABLE');
    await follower.said('away STORE_UNREACHABLE');
    const away = follower.states.at(-1);
    await store.writer.put('a', '2');
    clock.advance(1000);
    await follower.said('following 3');

    expect(away).toMatchObject({ revision: 2, since: clock.now() - 1000 });
    expect(follower.content()).toEqual({ a: '2' });
  });

  test('failures after a long quiet time begin with the first pause again', async (context) => {
    const { clock, faults, start } = setUp();
    faults.failLoads.push('STORE_UNREACHABLE', 'STORE_UNREACHABLE');
    const follower = start(context);
    await follower.failed(1);
    clock.advance(1000);
    await follower.failed(2);
    clock.advance(2000);
    await follower.said('following');

    clock.advance(60_000);
    faults.breakWatches('STORE_UNREACHABLE');
    await follower.failed(3);
    expect(follower.states.at(-1)?.since).toBe(clock.now());
    clock.advance(1000);
    await follower.said('following', 2);
  });

  test('a watch that fails as soon as it is opened does not make a hot loop', async (context) => {
    const { store, clock, faults, start } = setUp();
    faults.failWatches.push('STORE_COMPACTED', 'STORE_COMPACTED', 'STORE_COMPACTED');
    const follower = start(context);

    await follower.said('away STORE_COMPACTED');
    expect(faults.loads).toBe(2);
    clock.advance(2000);
    await follower.failed(2);
    expect(faults.loads).toBe(3);
    clock.advance(4000);
    await follower.said('following', 4);
    await store.writer.put('a', '');
    await follower.said('change 2');
  });
});

describe('the end', () => {
  test('an abort ends it, while it follows', async (context) => {
    const { start } = setUp();
    const follower = start(context);
    await follower.said('following');

    follower.abort();

    await follower.ended;
  });

  test('an abort ends it, while it waits for the next attempt', async (context) => {
    const { faults, start } = setUp();
    faults.failLoads.push('STORE_UNREACHABLE');
    const follower = start(context);
    await follower.failed(1);

    follower.abort();

    await follower.ended;
  });

  test('an abort before the beginning loads nothing', async (context) => {
    const { faults, start } = setUp();
    const follower = start(context, { signal: AbortSignal.abort() });

    await follower.ended;

    expect(faults.loads).toBe(0);
  });

  test('a store that is closed under it is a mistake', async (context) => {
    const { store, start } = setUp();
    const follower = start(context);
    await follower.said('following');

    await store.close();

    await expect(follower.ended).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  test.for(['onSnapshot', 'onChange', 'onState'] as const)(
    'what %s throws comes out',
    async (name, context) => {
      const { store, start } = setUp();
      const mistake = new GatewayError('STORE_UNREACHABLE', 'It only looks like the store.');
      const fail = (): void => {
        throw mistake;
      };

      const { ended } = start(context, { [name]: fail });
      const outcome = expect(ended).rejects.toBe(mistake);
      await store.writer.put('a', '');
      await store.writer.put('b', '');

      await outcome;
    },
  );
});

type FaultCode = 'STORE_UNREACHABLE' | 'STORE_DENIED' | 'STORE_COMPACTED';

/** What goes wrong with a store, as far as its follower sees. */
interface Faults {
  /** The next loads fail with these, one each. */
  readonly failLoads: FaultCode[];
  /** The next watches fail with these, one each. */
  readonly failWatches: FaultCode[];
  /** Fails the watches that run. */
  breakWatches(code: FaultCode): void;
  /** How many loads there were. */
  loads: number;
}

interface SetUp {
  readonly store: MemoryStore;
  readonly clock: ManualClock;
  readonly faults: Faults;
  readonly start: (context: TestContext, options?: Partial<FollowOptions>) => Follower;
}

function setUp(options: { readonly historyLength?: number } = {}): SetUp {
  const clock = createManualClock();
  const store = createMemoryStore({ clock, ...options });
  const running = new Set<(error: GatewayError) => void>();
  const faults: Faults = {
    failLoads: [],
    failWatches: [],
    breakWatches(code) {
      for (const fail of running) fail(fault(code));
    },
    loads: 0,
  };
  const faulty: Store = {
    ...store,
    async load(signal) {
      faults.loads += 1;
      const code = faults.failLoads.shift();
      if (code !== undefined) throw fault(code);
      return store.load(signal);
    },
    async *watch(since, signal) {
      const code = faults.failWatches.shift();
      if (code !== undefined) throw fault(code);
      const { promise: broken, reject } = Promise.withResolvers<never>();
      running.add(reject);
      const changes = store.watch(since, signal)[Symbol.asyncIterator]();
      try {
        for (;;) {
          const step = await Promise.race([broken, changes.next()]);
          if (step.done === true) return;
          yield step.value;
        }
      } finally {
        running.delete(reject);
      }
    },
  };
  return { store, clock, faults, start: (context, more) => startFollower(context, faulty, clock, more) };
}

function fault(code: FaultCode): GatewayError {
  return new GatewayError(code, 'The test said so.');
}

interface Follower {
  /** What was delivered, in order: `snapshot 2`, `change 3`, `following 2`, `away STORE_UNREACHABLE`. */
  readonly log: readonly string[];
  readonly states: readonly FollowState[];
  /** Deliveries that skip or repeat. */
  readonly mistakes: readonly string[];
  readonly ended: Promise<void>;
  /** What the deliveries amount to. */
  content(): Record<string, string>;
  /** Resolves once the log has `count` lines that begin with `text`. */
  said(text: string, count?: number): Promise<void>;
  /** Resolves once `count` attempts failed. */
  failed(count: number): Promise<void>;
  abort(): void;
}

function startFollower(
  context: TestContext,
  store: Store,
  clock: ManualClock,
  more: Partial<FollowOptions> = {},
): Follower {
  const controller = new AbortController();
  context.onTestFinished(() => controller.abort());
  const log: string[] = [];
  const states: FollowState[] = [];
  const mistakes: string[] = [];
  const waiting = new Set<() => void>();
  const state = new Map<string, StoreEntry>();
  let revision: Revision = 0;

  function write(line: string): void {
    log.push(line);
    for (const check of waiting) check();
  }

  function said(text: string, count = 1): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (log.filter((line) => line === text || line.startsWith(`${text} `)).length < count) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  }

  const ended = followStore(store, {
    clock,
    random: () => 0,
    signal: controller.signal,
    onSnapshot(snapshot) {
      state.clear();
      for (const entry of snapshot.entries) state.set(entry.key, entry);
      ({ revision } = snapshot);
      write(`snapshot ${revision}`);
    },
    onChange(change) {
      // Each write of the memory store passes one revision.
      if (change.revision !== revision + 1) mistakes.push(`${change.revision} after ${revision}`);
      for (const event of change.events) {
        if (event.type === 'put') state.set(event.entry.key, event.entry);
        else state.delete(event.key);
      }
      ({ revision } = change);
      write(`change ${revision}`);
    },
    onState(next) {
      states.push(next);
      if (next.state === 'connecting') write('connecting');
      else if (next.state === 'following') write(`following ${next.revision}`);
      else write(`away ${next.error.code}`);
    },
    ...more,
  });
  return {
    log,
    states,
    mistakes,
    ended,
    content: () => Object.fromEntries([...state.values()].map(({ key, value }) => [key, value])),
    said,
    failed: (count) => said('away', count),
    abort: () => controller.abort(),
  };
}

/** Lets everything that is ready run. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
