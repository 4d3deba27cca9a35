import { describe, expect, test } from 'vitest';
import { openSubject } from './store-subject.ts';
import type { OpenStore } from './store-subject.ts';

export function describeReplacing(open: OpenStore): void {
  describe('replacing everything', () => {
    test('leaves exactly what was given', async (context) => {
      const subject = await openSubject(context, open);
      await subject.replaceAll(values({ 'upstreams/1': 'a', 'upstreams/2': 'b' }));

      const revision = await subject.replaceAll(values({ 'upstreams/2': 'c', 'upstreams/3': 'd' }));

      const loaded = await subject.load();
      expect(loaded.revision).toBe(revision);
      expect(loaded.entries.map(({ key, value }) => [key, value])).toEqual([
        ['upstreams/2', 'c'],
        ['upstreams/3', 'd'],
      ]);
    });

    test('is one change, without what stayed the same', async (context) => {
      const subject = await openSubject(context, open);
      const first = await subject.replaceAll(values({ gone: '1', same: '2', other: '3' }));
      const watching = subject.watch(first);

      const second = await subject.replaceAll(values({ same: '2', other: '4', new: '5' }));

      expect(await watching.next()).toEqual({
        revision: second,
        events: [
          { type: 'delete', key: 'gone' },
          { type: 'put', entry: { key: 'other', value: '4', createRevision: first, modRevision: second } },
          { type: 'put', entry: { key: 'new', value: '5', createRevision: second, modRevision: second } },
        ],
      });
      expect((await subject.load()).entries).toContainEqual({
        key: 'same',
        value: '2',
        createRevision: first,
        modRevision: first,
      });
    });

    test('by the same again passes no revision', async (context) => {
      const subject = await openSubject(context, open);
      const first = await subject.replaceAll(values({ a: '1' }));

      expect(await subject.replaceAll(values({ a: '1' }))).toBe(first);
      expect(await subject.revision()).toBe(first);
    });

    test('by nothing empties the store', async (context) => {
      const subject = await openSubject(context, open);
      await subject.replaceAll(values({ a: '1' }));

      await subject.replaceAll(new Map());

      expect((await subject.load()).entries).toEqual([]);
    });

    test('rejects once the store is closed', async (context) => {
      const subject = await openSubject(context, open);
      await subject.store.close();

      await expect(subject.replaceAll(new Map())).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });
  });
}

function values(entries: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(entries));
}
