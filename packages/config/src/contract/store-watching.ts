import { isGatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import type { StoreChange, StoreEntry, StoreSnapshot, StoreWriter } from '../store/store.ts';
import { documentText, openSubject, putNames } from './store-subject.ts';
import type { OpenStore, Subject } from './store-subject.ts';

export function describeWatching(open: OpenStore): void {
  describe('watching', () => {
    test('a watch begins with the first change after the revision it is given', async (context) => {
      const subject = await openSubject(context, open);
      await subject.write('upstreams/1', 'before the load');
      const since = await subject.revision();
      await subject.write('upstreams/1', 'after the load');
      await subject.write('upstreams/2', 'after the load');

      const watching = subject.watch(since);
      const first = await watching.next();
      const second = await watching.next();
      const later = await subject.watch(first.revision).next();

      expect(first.events).toMatchObject([
        { type: 'put', entry: { key: 'upstreams/1', value: documentText('upstreams/1', 'after the load') } },
      ]);
      expect(second.events).toMatchObject([{ type: 'put', entry: { key: 'upstreams/2' } }]);
      expect(later).toEqual(second);
    });

    test('a change carries the entry as a load has it, and its revision', async (context) => {
      const subject = await openSubject(context, open);
      const watching = subject.watch(await subject.revision());

      await subject.write('upstreams/1', '漢 \u{1f600}');
      const created = await subject.read('upstreams/1');
      await subject.write('upstreams/1', 'changed');
      const changed = await subject.read('upstreams/1');
      await subject.write('upstreams/1', undefined);
      const gone = await subject.read('upstreams/1');

      for (const entry of [created, changed]) {
        expect(await watching.next()).toEqual({
          revision: entry?.modRevision,
          events: [{ type: 'put', entry }],
        });
      }
      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'upstreams/1' }]);
      expect(changed).toMatchObject({ createRevision: created?.createRevision });
      expect(gone).toBeUndefined();
    });

    test('a change carries the revision that its write was answered with', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      const watching = subject.watch(await subject.revision());

      const created = await writer.put('upstreams/1', '{"漢":"\u{1f600}"}');
      const entry = await writer.get('upstreams/1');
      const changed = await writer.compareAndSwap('upstreams/1', 'init_dir', created.revision);
      const changedEntry = await writer.get('upstreams/1');
      const deleted = await writer.delete('upstreams/1');

      expect(await watching.next()).toEqual({ revision: created.revision, events: [{ type: 'put', entry }] });
      expect(await watching.next()).toEqual({
        revision: changed.revision,
        events: [{ type: 'put', entry: changedEntry }],
      });
      expect(await watching.next()).toEqual({
        revision: deleted?.revision,
        events: [{ type: 'delete', key: 'upstreams/1' }],
      });
    });

    test('what changed nothing is not a change', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      await writer.put('upstreams/1', 'old');
      const watching = subject.watch(await subject.revision());

      await writer.delete('upstreams/2');
      await expect(writer.compareAndSwap('upstreams/1', 'new', 0)).rejects.toThrow();
      await writer.put('upstreams/3', 'the first change');

      expect((await watching.next()).events).toMatchObject([{ type: 'put', entry: { key: 'upstreams/3' } }]);
    });

    test('a slow reader gets every change, in order, each once', async (context) => {
      const subject = await openSubject(context, open);
      const since = await subject.revision();
      const watching = subject.watch(since);
      const first = watching.next();
      const values = Array.from({ length: 200 }, (_, index) => `value ${index}`);
      for (const value of values) await subject.write('upstreams/1', value);

      const changes = [await first];
      while (changes.length < values.length) changes.push(await watching.next());

      expect(changes.flatMap(putNames)).toEqual(values);
      expect(isAscending([since, ...changes.map(({ revision }) => revision)])).toBe(true);
    });

    test('a quiet time loses nothing', async (context) => {
      const subject = await openSubject(context, open);
      const advance = subject.need('advance');
      const watching = subject.watch(await subject.revision());
      const first = watching.next();

      await advance(24 * 60 * 60);
      await subject.write('upstreams/1', 'after a day');
      const second = watching.next();
      await advance(24 * 60 * 60);
      await subject.write('upstreams/1', 'after two days');

      expect(putNames(await first)).toEqual(['after a day']);
      expect(putNames(await second)).toEqual(['after two days']);
    });

    test('writes outside the prefix pass revisions and are no changes', async (context) => {
      const subject = await openSubject(context, open);
      const writeOutsidePrefix = subject.need('writeOutsidePrefix');
      const watching = subject.watch(await subject.revision());

      await writeOutsidePrefix();
      await subject.write('upstreams/1', 'inside');
      await writeOutsidePrefix();
      await subject.write('upstreams/1', 'inside again');

      expect(putNames(await watching.next())).toEqual(['inside']);
      expect(putNames(await watching.next())).toEqual(['inside again']);
      expect((await subject.load()).entries).toHaveLength(1);
    });

    test('several watches each see everything', async (context) => {
      const subject = await openSubject(context, open);
      const since = await subject.revision();
      const watches = Array.from({ length: 5 }, () => subject.watch(since));
      const firsts = watches.map((watching) => watching.next());

      await subject.write('upstreams/1', 'one');
      await subject.write('upstreams/1', 'two');

      for (const first of await Promise.all(firsts)) expect(putNames(first)).toEqual(['one']);
      for (const watching of watches) expect(putNames(await watching.next())).toEqual(['two']);
    });

    test('an abort ends the watch that it belongs to, also while it waits', async (context) => {
      const subject = await openSubject(context, open);
      const since = await subject.revision();
      const aborted = subject.watch(since);
      const other = subject.watch(since);
      const ended = aborted.ended();
      const next = other.next();

      aborted.abort();
      await ended;
      await aborted.ended();
      await subject.write('upstreams/1', 'still seen');

      expect(putNames(await next)).toEqual(['still seen']);
    });

    test('a watch that is aborted before it begins gives nothing', async (context) => {
      const subject = await openSubject(context, open);
      const since = await subject.revision();
      await subject.write('upstreams/1', 'unseen');
      const watching = subject.watch(since);

      watching.abort();

      await watching.ended();
    });

    test('an abort keeps back what was not yet read', async (context) => {
      const subject = await openSubject(context, open);
      const watching = subject.watch(await subject.revision());
      for (const value of ['one', 'two', 'three']) await subject.write('upstreams/1', value);
      expect(putNames(await watching.next())).toEqual(['one']);

      watching.abort();

      await watching.ended();
    });

    test('a reader can leave the loop', async (context) => {
      const subject = await openSubject(context, open);
      const since = await subject.revision();
      await subject.write('upstreams/1', 'one');
      await subject.write('upstreams/1', 'two');
      const seen: StoreChange[] = [];

      for await (const change of subject.store.watch(since, new AbortController().signal)) {
        seen.push(change);
        break;
      }

      expect(seen.flatMap(putNames)).toEqual(['one']);
    });

    test('a watch from a revision that the store has not reached rejects: the store is another', async (context) => {
      const subject = await openSubject(context, open);
      await subject.write('upstreams/1', 'one');
      const ahead = (await subject.revision()) + 1000;

      await expect(subject.watch(ahead).next()).rejects.toMatchObject({ code: 'STORE_REWOUND' });
    });

    test('whenever it is taken, a snapshot and its watch amount to the same as a later load', async (context) => {
      const subject = await openSubject(context, open);
      await subject.write('upstreams/0', 'there before');

      const writing = [1, 2, 3, 4].map((seed) => writeAtRandom(subject, seed, 100));
      const followers: Promise<Followed>[] = [];
      for (let taken = 0; taken < 12; taken += 1) {
        followers.push(follow(subject, await subject.load()));
        await subject.read('upstreams/0');
      }
      await Promise.all(writing);
      await subject.write('upstreams/last', 'of all');

      const expected = (await subject.load()).entries;
      for (const { entries, revisions } of await Promise.all(followers)) {
        expect(entries).toEqual(expected);
        expect(isAscending(revisions)).toBe(true);
      }
    });
  });
}

function isAscending(revisions: readonly number[]): boolean {
  return revisions.every((revision, index) => index === 0 || revision > (revisions[index - 1] ?? Infinity));
}

/** Puts, swaps and deletes among twenty keys, in an order that the seed decides; losing a swap is part of it. */
async function writeAtRandom(subject: Subject, seed: number, writes: number): Promise<void> {
  const { writer } = subject.store;
  let state = seed;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let written = 0; written < writes; written += 1) {
    const key = `upstreams/${random(20)}`;
    const kind = random(4);
    if (kind === 0) await subject.write(key, undefined);
    else if (kind === 1 && writer !== undefined)
      await swapUnlessTaken(writer, key, `swap ${seed}/${written}`);
    else await subject.write(key, `put ${seed}/${written}`);
  }
}

async function swapUnlessTaken(writer: StoreWriter, key: string, value: string): Promise<void> {
  const found = await writer.get(key);
  try {
    await writer.compareAndSwap(key, value, found?.modRevision ?? 0);
  } catch (error) {
    if (!isGatewayError(error, 'STORE_CONFLICT')) throw error;
  }
}

interface Followed {
  readonly entries: readonly StoreEntry[];
  readonly revisions: readonly number[];
}

/** Applies changes to a snapshot until the key `upstreams/last` appears. */
async function follow(subject: Subject, snapshot: StoreSnapshot): Promise<Followed> {
  const state = new Map(snapshot.entries.map((entry) => [entry.key, entry]));
  const revisions = [snapshot.revision];
  const watching = subject.watch(snapshot.revision);
  while (!state.has('upstreams/last')) {
    const change = await watching.next();
    revisions.push(change.revision);
    for (const event of change.events) {
      if (event.type === 'put') state.set(event.entry.key, event.entry);
      else if (!state.delete(event.key)) throw new Error(`${event.key} was deleted, and it was not there.`);
    }
  }
  const entries = [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return { entries, revisions };
}
