import { describe, expect, test } from 'vitest';
import { openSubject } from './store-subject.ts';
import type { OpenStore } from './store-subject.ts';

export function describeTimeToLive(open: OpenStore): void {
  describe('time-to-live', () => {
    test('a key whose time is over is deleted, and watches see it', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      const { revision } = await writer.put('servers/a', 'here', { ttlSeconds: 5 });
      const watching = subject.watch(revision);
      await writer.put('servers/b', 'for good');
      expect(await writer.get('servers/a')).toMatchObject({ value: 'here', expires: true });
      expect((await subject.load()).entries.map(({ key, expires }) => [key, expires])).toEqual([
        ['servers/a', true],
        ['servers/b', undefined],
      ]);
      await watching.next();

      await subject.disturb.advance?.(6);

      const change = await watching.next();
      expect(change.events).toEqual([{ type: 'delete', key: 'servers/a' }]);
      expect(change.revision).toBeGreaterThan(revision);
      expect(await writer.get('servers/a')).toBeUndefined();
    });

    test('the time-to-live of a compare-and-swap counts too', async (context) => {
      const subject = await openSubject(context, open);
      const { revision } = await subject.writer().compareAndSwap('servers/a', 'here', 0, { ttlSeconds: 1 });
      const watching = subject.watch(revision);

      await subject.disturb.advance?.(2);

      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'servers/a' }]);
    });

    test('a later put without one makes the key permanent', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      await writer.put('servers/a', 'for now', { ttlSeconds: 1 });
      await writer.put('servers/a', 'for good');
      const { revision } = await writer.put('servers/b', 'for now', { ttlSeconds: 3 });
      const watching = subject.watch(revision);

      await subject.disturb.advance?.(5);

      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'servers/b' }]);
      expect(await writer.get('servers/a')).toMatchObject({ value: 'for good' });
    });

    test('writing the key again starts its time anew', async (context) => {
      const subject = await openSubject(context, open);
      const advance = subject.need('advance');
      const writer = subject.writer();
      await writer.put('servers/a', 'first', { ttlSeconds: 10 });
      await advance(9);
      const { revision } = await writer.put('servers/a', 'second', { ttlSeconds: 10 });
      const watching = subject.watch(revision);

      await advance(9);
      expect(await writer.get('servers/a')).toMatchObject({ value: 'second' });
      await advance(2);

      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'servers/a' }]);
    });

    test('a key that was deleted and written again does not inherit the time', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      await writer.put('servers/a', 'for now', { ttlSeconds: 1 });
      await writer.delete('servers/a');
      await writer.put('servers/a', 'for good');
      const { revision } = await writer.put('servers/b', 'for now', { ttlSeconds: 3 });
      const watching = subject.watch(revision);

      await subject.disturb.advance?.(5);

      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'servers/b' }]);
      expect(await writer.get('servers/a')).toMatchObject({ value: 'for good' });
    });

    test('several keys go in the order of their times', async (context) => {
      const subject = await openSubject(context, open);
      const advance = subject.need('advance');
      const writer = subject.writer();
      for (const seconds of [30, 5, 20]) await writer.put(`servers/${seconds}`, '', { ttlSeconds: seconds });
      const watching = subject.watch(await subject.revision());

      await advance(60);

      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'servers/5' }]);
      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'servers/20' }]);
      expect((await watching.next()).events).toEqual([{ type: 'delete', key: 'servers/30' }]);
    });

    test('the time goes on while the store is closed', async (context) => {
      const subject = await openSubject(context, open);
      await subject.writer().put('servers/a', 'for now', { ttlSeconds: 5 });
      const { revision } = await subject.writer().put('servers/b', 'for good');
      subject.need('reopen');
      await subject.store.close();
      await subject.disturb.advance?.(6);

      const again = await subject.reopen();
      const change = await subject.watch(revision, again).next();

      expect(change.events).toEqual([{ type: 'delete', key: 'servers/a' }]);
    });

    test.for([0, -1, 1.5, Number.NaN])('a time-to-live of %s is a mistake', async (ttlSeconds, context) => {
      const writer = (await openSubject(context, open)).writer();

      await expect(writer.put('servers/a', '', { ttlSeconds })).rejects.toThrow(TypeError);
      expect(await writer.get('servers/a')).toBeUndefined();
    });
  });
}
