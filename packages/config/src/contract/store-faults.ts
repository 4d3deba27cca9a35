import { isGatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import type { StoreChange } from '../store/store.ts';
import { documentText, openSubject, putNames } from './store-subject.ts';
import type { OpenStore, Subject } from './store-subject.ts';

export function describeFaults(open: OpenStore): void {
  describe('when something happens to the store', () => {
    test('a watch from before a compaction rejects; one from now goes on', async (context) => {
      const subject = await openSubject(context, open);
      const compact = subject.need('compact');
      const since = await subject.revision();
      for (const value of ['one', 'two', 'three']) await subject.write('upstreams/1', value);
      await compact();

      await expect(subject.watch(since).next()).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
      const watching = subject.watch(await subject.revision());
      await subject.write('upstreams/1', 'four');
      expect(putNames(await watching.next())).toEqual(['four']);
    });

    test('a compaction takes nothing from a watch that is up to date', async (context) => {
      const subject = await openSubject(context, open);
      const compact = subject.need('compact');
      const watching = subject.watch(await subject.revision());
      await subject.write('upstreams/1', 'one');
      await watching.next();
      const next = watching.next();

      await compact();
      await subject.write('upstreams/1', 'two');

      expect(putNames(await next)).toEqual(['two']);
    });

    test('a store that was wiped ends watches, running and new, and can be loaded again', async (context) => {
      const subject = await openSubject(context, open);
      const wipe = subject.need('wipe');
      for (let count = 0; count < 20; count += 1) await subject.write('upstreams/1', `${count}`);
      const since = await subject.revision();
      const running = subject.watch(since).next();
      const outcome = expect(running).rejects.toMatchObject({ code: 'STORE_REWOUND' });

      await wipe();

      await outcome;
      await expect(subject.watch(since).next()).rejects.toMatchObject({ code: 'STORE_REWOUND' });
      const { revision, entries } = await subject.load();
      expect(entries).toEqual([]);
      expect(revision).toBeLessThan(since);
      const watching = subject.watch(revision);
      await subject.write('upstreams/1', 'a new start');
      expect(putNames(await watching.next())).toEqual(['a new start']);
    });

    test.for(['cutConnections', 'silenceConnections'] as const)(
      'a watch loses nothing and repeats nothing across %s',
      async (name, context) => {
        const subject = await openSubject(context, open);
        const disturb = subject.need(name);
        const since = await subject.revision();
        await subject.writeBesides('upstreams/1', 'one');
        const seen = watchThrough(subject, since, 4);

        await Promise.race([seen.first, seen.all]);
        await disturb();
        for (const value of ['two', 'three', 'four']) await subject.writeBesides('upstreams/1', value);

        expect((await seen.all).flatMap(putNames)).toEqual(['one', 'two', 'three', 'four']);
      },
    );

    test('an unreachable store rejects, is not written later, and comes back with its data', async (context) => {
      const subject = await openSubject(context, open);
      const goAway = subject.need('goAway');
      await subject.write('upstreams/1', 'kept');
      const before = await subject.load();

      const comeBack = await goAway();
      await expect(subject.load()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
      if (subject.store.writer !== undefined) {
        const put = subject.store.writer.put('upstreams/1', 'refused');
        await expect(put).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
      }
      await comeBack();

      expect((await subject.load()).entries).toEqual(before.entries);
      await subject.write('upstreams/1', 'written again');
      expect((await subject.load()).entries).toMatchObject([
        { value: documentText('upstreams/1', 'written again') },
      ]);
    });

    test('a store that is opened again has everything, at the same revision', async (context) => {
      const subject = await openSubject(context, open);
      for (const key of ['routes/a', 'routes/b', 'routes/a']) await subject.write(key, `${key}!`);
      await subject.write('routes/b', undefined);
      const before = await subject.load();

      const again = await subject.reopen();

      expect(await again.load(new AbortController().signal)).toEqual(before);
    });

    test('a watch continues on a store that is opened again', async (context) => {
      const subject = await openSubject(context, open);
      const since = await subject.revision();
      for (const value of ['one', 'two', 'three']) await subject.write('upstreams/1', value);
      const first = await subject.watch(since).next();

      const again = await subject.reopen();
      const watching = subject.watch(first.revision, again);

      expect([await watching.next(), await watching.next()].flatMap(putNames)).toEqual(['two', 'three']);
    });
  });
}

/** Collects `count` changes, watching again from the last one whenever the store says that it was unreachable. */
function watchThrough(
  subject: Subject,
  since: number,
  count: number,
): { readonly first: Promise<void>; readonly all: Promise<readonly StoreChange[]> } {
  const first = Promise.withResolvers<void>();
  const changes: StoreChange[] = [];
  const collect = async (): Promise<readonly StoreChange[]> => {
    let watching = subject.watch(since);
    while (changes.length < count) {
      try {
        changes.push(await watching.next());
        first.resolve();
      } catch (error) {
        if (!isGatewayError(error, 'STORE_UNREACHABLE')) throw error;
        watching = subject.watch(changes.at(-1)?.revision ?? since);
      }
    }
    return changes;
  };
  return { first: first.promise, all: collect() };
}
