import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lock } from './shared-lock.ts';
import { SharedSessionCounts, WorkerSessionCounts } from './shared-session-counts.ts';
import type { CountingThread } from './testing/counting-thread.ts';

/** Slots of one bucket, which are those that every key can have. */
const ONE_BUCKET = 32;

/** The counts of three workers. */
function scene(slots?: number): {
  all: SharedSessionCounts;
  workers: readonly [WorkerSessionCounts, WorkerSessionCounts, WorkerSessionCounts];
} {
  const all = new SharedSessionCounts(3, slots);
  const of = (worker: number): WorkerSessionCounts => new WorkerSessionCounts(all.shared, worker);
  return { all, workers: [of(0), of(1), of(2)] };
}

function keysUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `key ${number}`);
}

test('sessions are counted by key over all workers', () => {
  const {
    workers: [first, second],
  } = scene();

  expect([first.enter('a', 3), second.enter('a', 3), second.enter('b', 3), first.enter('a', 3)]).toEqual([
    1, 2, 1, 3,
  ]);
  expect([first.enter('a', 3), second.enter('a', 3)]).toEqual([0, 0]);
  second.leave('a');
  expect(second.enter('a', 3)).toBe(3);
});

test('nobody leaves who was not let in', () => {
  const {
    workers: [first, second],
  } = scene();
  first.enter('a', 1);

  expect(() => second.leave('a')).toThrow('expected a session with the key a that was let in, found none');
  expect(() => first.leave('b')).toThrow(TypeError);
  expect(first.enter('a', 2)).toBe(2);
});

describe('a worker that died', () => {
  test('has no sessions any more, those of the others go on', () => {
    const {
      all,
      workers: [first, second],
    } = scene();
    first.enter('a', 9);
    first.enter('a', 9);
    second.enter('a', 9);

    all.closeSessionsOf(0);

    expect(second.enter('a', 9)).toBe(2);
    expect(new WorkerSessionCounts(all.shared, 0).enter('a', 9)).toBe(3);
  });

  test('leaves nothing locked', () => {
    const {
      all,
      workers: [first],
    } = scene(ONE_BUCKET);
    const integers = new Int32Array(all.shared.memory);
    const lockAt = 2;
    lock(integers, lockAt, 1);

    all.closeSessionsOf(2);
    expect(integers[lockAt]).toBe(2);
    all.closeSessionsOf(1);

    expect(integers[lockAt]).toBe(0);
    expect(first.enter('a', 1)).toBe(1);
  });
});

describe('room', () => {
  test('is there for 65 536 keys at a time', () => {
    const {
      workers: [first, second],
    } = scene();
    const keys = keysUpTo(65_536);

    expect(keys.filter((key) => first.enter(key, 1) !== 1)).toEqual([]);
    expect(keys.filter((key) => second.enter(key, 1) !== 0)).toEqual([]);
  });

  test('that is used up is told, and those who are there go on', () => {
    const {
      workers: [first, second],
    } = scene(ONE_BUCKET);
    const [known = '', ...others] = keysUpTo(ONE_BUCKET);
    for (const key of [known, ...others]) first.enter(key, 2);

    expect([second.enter('one more', 2), second.enter(known, 2), second.enter(known, 2)]).toEqual([
      undefined,
      2,
      0,
    ]);
  });

  test('comes when the last session of a key ends, or its worker dies', () => {
    const {
      all,
      workers: [first, second],
    } = scene(ONE_BUCKET);
    const [known = '', ...others] = keysUpTo(ONE_BUCKET);
    first.enter(known, 2);
    for (const key of others) second.enter(key, 2);

    first.leave(known);
    expect([first.enter('one more', 2), first.enter('and another', 2)]).toEqual([1, undefined]);

    all.closeSessionsOf(1);
    expect(others.map((key) => first.enter(`not ${key}`, 2))).toEqual(others.map(() => 1));
  });
});

interface Step {
  readonly worker: 0 | 1 | 2;
  readonly act: 'enter' | 'leave' | 'die';
  readonly key: string;
  readonly most: number;
}

test('whatever happens, they are what a plain count says', () => {
  const steps: fc.Arbitrary<Step> = fc.record({
    worker: fc.constantFrom(0, 1, 2),
    act: fc.constantFrom('enter', 'enter', 'enter', 'enter', 'leave', 'leave', 'die'),
    key: fc.constantFrom(...keysUpTo(ONE_BUCKET + 8)),
    most: fc.integer({ min: 1, max: 4 }),
  });

  fc.assert(
    fc.property(fc.array(steps, { maxLength: 400, size: 'max' }), (taken) => {
      const { all, workers } = scene(ONE_BUCKET);
      const plain = [
        new Map<string, number>(),
        new Map<string, number>(),
        new Map<string, number>(),
      ] as const;
      const sum = (key: string): number => plain.reduce((total, shares) => total + (shares.get(key) ?? 0), 0);
      const expectEnter = (key: string, most: number): number | undefined => {
        const keys = new Set(plain.flatMap((shares) => [...shares.keys()]));
        if (!keys.has(key) && keys.size === ONE_BUCKET) return undefined;
        return sum(key) < most ? sum(key) + 1 : 0;
      };

      for (const { worker, act, key, most } of taken) {
        const shares = plain[worker];
        const share = shares.get(key) ?? 0;
        if (act === 'die') {
          shares.clear();
          all.closeSessionsOf(worker);
        } else if (act === 'enter') {
          const expected = expectEnter(key, most);
          expect(workers[worker].enter(key, most)).toBe(expected);
          if (expected !== undefined && expected > 0) shares.set(key, share + 1);
        } else if (share > 0) {
          workers[worker].leave(key);
          if (share === 1) shares.delete(key);
          else shares.set(key, share - 1);
        }
      }
    }),
  );
});

describe('threads', () => {
  const program = new URL('./testing/counting-thread.ts', import.meta.url);

  /** What threads are given, and how many sessions there are with each key. */
  function threads(
    all: SharedSessionCounts,
    keys: readonly string[],
    most: number,
  ): {
    sure: Int32Array;
    begin: (worker: number, rounds: number) => { thread: Worker; mine: Int32Array; ended: Promise<unknown> };
    read: (counts: WorkerSessionCounts) => readonly number[];
  } {
    const integers = (): Int32Array => new Int32Array(new SharedArrayBuffer((keys.length + 1) * 4));
    const sure = integers();
    return {
      sure,
      begin(worker, rounds) {
        const mine = integers();
        const workerData: CountingThread = { shared: all.shared, worker, keys, most, rounds, mine, sure };
        const thread = new Worker(program, { workerData });
        return { thread, mine, ended: once(thread, 'exit') };
      },
      read: (counts) =>
        keys.map((key) => {
          const count = counts.enter(key, Number.POSITIVE_INFINITY);
          if (count === undefined) return 0;
          counts.leave(key);
          return count - 1;
        }),
    };
  }

  test.each([
    ['one key', keysUpTo(1), 5],
    ['many keys', keysUpTo(500), 3],
  ])('count exactly with %s', async (_, keys, most) => {
    const { all, workers } = scene();
    const { begin, read, sure } = threads(all, keys, most);

    const [first, second] = [begin(0, 300_000), begin(1, 300_000)];
    await Promise.all([first.ended, second.ended]);

    const sums = keys.map((_key, place) => (first.mine[place] ?? 0) + (second.mine[place] ?? 0));
    expect(read(workers[2])).toEqual(sums);
    expect(sure[keys.length]).toBe(0);
  });

  test('go on, and count exactly, when others die in the middle of it', async () => {
    const { all, workers } = scene(ONE_BUCKET);
    const keys = keysUpTo(ONE_BUCKET + 8);
    const { begin, read } = threads(all, keys, 4);
    const survivor = begin(0, 500_000);

    for (let life = 0; life < 20; life++) {
      const { thread } = begin(1, Number.POSITIVE_INFINITY);
      await once(thread, 'message');
      await thread.terminate();
      all.closeSessionsOf(1);
    }
    await survivor.ended;

    expect(read(workers[2])).toEqual(keys.map((_, place) => survivor.mine[place]));
  });
});

test('memory is taken by keys that have sessions', () => {
  const {
    all,
    workers: [first, second],
  } = scene();
  const { capacityBytes, freeBytes } = all.use;
  expect(freeBytes).toBeLessThan(capacityBytes);

  for (const key of keysUpTo(100)) first.enter(key, 1);
  second.enter('key 0', 2);
  const bytes = (freeBytes - all.use.freeBytes) / 100;
  expect(Number.isInteger(bytes) && bytes > 0).toBe(true);
  for (const key of keysUpTo(100)) first.leave(key);

  expect(all.use.freeBytes).toBe(freeBytes - bytes);
});
