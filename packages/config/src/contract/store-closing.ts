import { describe, expect, test } from 'vitest';
import { openSubject } from './store-subject.ts';
import type { OpenStore } from './store-subject.ts';

export function describeClosing(open: OpenStore): void {
  describe('closing', () => {
    test('a close ends the watches', async (context) => {
      const subject = await openSubject(context, open);
      const since = await subject.revision();
      const endings = [subject.watch(since).ended(), subject.watch(since).ended()];

      await subject.store.close();

      await Promise.all(endings);
    });

    test('closing twice is closing once', async (context) => {
      const subject = await openSubject(context, open);

      await Promise.all([subject.store.close(), subject.store.close()]);
      await subject.store.close();
    });

    test('a closed store cannot be read', async (context) => {
      const subject = await openSubject(context, open);
      await subject.store.close();

      await expect(subject.load()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await expect(subject.watch(1).next()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });

    test('a closed store cannot be written', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      await subject.store.close();

      const calls = [
        writer.get('a'),
        writer.list('a'),
        writer.put('a', ''),
        writer.compareAndSwap('a', '', 0),
        writer.delete('a'),
      ];

      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_CLOSED' } });
      }
    });
  });
}
