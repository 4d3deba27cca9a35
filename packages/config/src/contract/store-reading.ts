import { describe, expect, test } from 'vitest';
import { openSubject } from './store-subject.ts';
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
      await subject.write('stream_routes/1', '{"id":"1"}');
      await subject.write('upstreams/1', '{"id":"1"}');
      await subject.write('stream_routes/1', undefined);
      await subject.write('upstreams/1', '{"id":"1","retries":2}');

      const { revision, entries } = await subject.load();

      expect(entries).toHaveLength(1);
      expect(entries[0]).toMatchObject({ key: 'upstreams/1', value: '{"id":"1","retries":2}' });
      expect(entries[0]?.modRevision).toBeLessThanOrEqual(revision);
    });

    test('entries come in the order of the bytes of their keys', async (context) => {
      const subject = await openSubject(context, open);
      const ordered = ['a/', 'a/1', 'a/10', 'a/2', 'a/B', 'a/a', 'a/é', 'a/\u{ffee}', 'a/\u{1f600}', 'b/0'];
      for (const key of [...ordered].reverse()) await subject.write(key, '{}');

      const { entries } = await subject.load();

      expect(entries.map((entry) => entry.key)).toEqual(ordered);
    });

    test('a load that is aborted rejects with the reason', async (context) => {
      const subject = await openSubject(context, open);
      const reason = new Error('no longer wanted');

      await expect(subject.store.load(AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}
