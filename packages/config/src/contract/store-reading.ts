import { describe, expect, test } from 'vitest';
import { documentText, openSubject } from './store-subject.ts';
import type { OpenStore } from './store-subject.ts';

export function describeReading(open: OpenStore): void {
  describe('reading', () => {
    test('an empty store loads, at a revision from 1', async (context) => {
      const subject = await openSubject(context, open);

      const snapshot = await subject.load();

      expect(snapshot.entries).toEqual([]);
      expect(snapshot.revision).toBeGreaterThanOrEqual(1);
    });

    test('a load has every write that was answered before, at a revision no older', async (context) => {
      const subject = await openSubject(context, open);
      await subject.write('stream_routes/1', 'gone');
      await subject.write('upstreams/1', 'old');
      await subject.write('stream_routes/1', undefined);
      await subject.write('upstreams/1', 'new');

      const { revision, entries } = await subject.load();

      expect(entries).toHaveLength(1);
      expect(entries[0]).toMatchObject({ key: 'upstreams/1', value: documentText('upstreams/1', 'new') });
      expect(entries[0]?.modRevision).toBeLessThanOrEqual(revision);
    });

    test('entries come in the order of the bytes of their keys', async (context) => {
      const subject = await openSubject(context, open);
      const ids = ['1', '10', '2', 'B', 'a', 'é', '\u{ffee}', '\u{1f600}'];
      const ordered = [...ids.map((id) => `routes/${id}`), 'services/0'];
      for (const key of [...ordered].reverse()) await subject.write(key, 'one');

      const { entries } = await subject.load();

      expect(entries.map((entry) => entry.key)).toEqual(ordered);
    });

    test('the placeholder of a directory is an entry like others, and comes first', async (context) => {
      const subject = await openSubject(context, open);
      await subject.writer().put('routes/1', '{}');
      await subject.writer().put('routes/', 'init_dir');

      const { entries } = await subject.load();

      expect(entries.map(({ key, value }) => [key, value])).toEqual([
        ['routes/', 'init_dir'],
        ['routes/1', '{}'],
      ]);
    });

    test('a load that is aborted rejects with the reason', async (context) => {
      const subject = await openSubject(context, open);
      const reason = new Error('no longer wanted');

      await expect(subject.store.load(AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}
