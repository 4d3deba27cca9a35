import { describe, expect, test } from 'vitest';
import { openSubject } from './store-subject.ts';
import type { OpenStore } from './store-subject.ts';

export function describeWriting(open: OpenStore): void {
  describe('writing', () => {
    test('a put creates the key at the revision it answers', async (context) => {
      const writer = (await openSubject(context, open)).writer();

      const created = await writer.put('stream_routes/1', '{"id":"1"}');

      expect(created.previous).toBeUndefined();
      expect(await writer.get('stream_routes/1')).toEqual({
        key: 'stream_routes/1',
        value: '{"id":"1"}',
        createRevision: created.revision,
        modRevision: created.revision,
      });
    });

    test('a second put keeps the create revision and answers what was there', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      const created = await writer.put('upstreams/1', 'old');
      const before = await writer.get('upstreams/1');

      const changed = await writer.put('upstreams/1', 'new');

      expect(changed.revision).toBeGreaterThan(created.revision);
      expect(changed.previous).toEqual(before);
      expect(await writer.get('upstreams/1')).toEqual({
        key: 'upstreams/1',
        value: 'new',
        createRevision: created.revision,
        modRevision: changed.revision,
      });
    });

    test('putting the value that is there is a write like any other', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      const first = await writer.put('upstreams/1', 'same');

      const second = await writer.put('upstreams/1', 'same');

      expect(second.revision).toBeGreaterThan(first.revision);
      expect((await writer.get('upstreams/1'))?.modRevision).toBe(second.revision);
    });

    test('a key that was deleted and written again has a new create revision', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      await writer.put('upstreams/1', 'old');
      await writer.delete('upstreams/1');

      const { revision, previous } = await writer.put('upstreams/1', 'new');

      expect(previous).toBeUndefined();
      expect(await writer.get('upstreams/1')).toMatchObject({
        createRevision: revision,
        modRevision: revision,
      });
    });

    test('a delete answers what it removed', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      const { revision } = await writer.put('upstreams/1', 'old');
      const before = await writer.get('upstreams/1');

      const deleted = await writer.delete('upstreams/1');

      expect(deleted?.previous).toEqual(before);
      expect(deleted?.revision).toBeGreaterThan(revision);
      expect(await writer.get('upstreams/1')).toBeUndefined();
    });

    test('deleting a key that is not there passes no revision', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      await writer.put('upstreams/1', 'kept');
      const before = await subject.revision();

      expect(await writer.delete('upstreams/2')).toBeUndefined();
      expect(await subject.revision()).toBe(before);
    });

    test('a conditional delete removes the version it expects, and no other', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      const first = await writer.put('upstreams/1', 'old');
      const second = await writer.put('upstreams/1', 'new');
      const before = await subject.load();

      await expect(writer.delete('upstreams/1', first.revision)).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
        detail: { key: 'upstreams/1', expected: first.revision, found: second.revision },
      });
      expect(await writer.delete('upstreams/2', first.revision)).toBeUndefined();
      expect(await subject.load()).toEqual(before);
      const deleted = await writer.delete('upstreams/1', second.revision);

      expect(deleted).toMatchObject({ previous: { value: 'new', modRevision: second.revision } });
      expect(deleted?.revision).toBeGreaterThan(second.revision);
      expect(await writer.get('upstreams/1')).toBeUndefined();
    });

    test('a list holds the keys that begin with the prefix, in the order of their bytes', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      const inside = [
        'stream_routes/',
        'stream_routes/1',
        'stream_routes/10',
        'stream_routes/2',
        'stream_routes/\u{10ffff}',
      ];
      const outside = [
        'stream_routes',
        'stream_routes0',
        'stream_routes_x/1',
        'streamXroutes/1',
        'Stream_routes/1',
        'x',
      ];
      for (const key of [...outside, ...inside].reverse()) await writer.put(key, '{}');

      const { entries } = await writer.list('stream_routes/');

      expect(entries.map((entry) => entry.key)).toEqual(inside);
    });

    test('a list of the empty prefix is what a load gives', async (context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();
      for (const key of ['b/1', 'a/1', 'a%/1']) await writer.put(key, key);

      expect(await writer.list('')).toEqual(await subject.load());
      expect((await writer.list('c/')).entries).toEqual([]);
    });

    test.for([
      ['the placeholder', 'init_dir'],
      ['nothing', ''],
      ['JSON', '{"nodes":{"127.0.0.1:8080":1},"desc":"a/b \\"c\\" \\u0000"}'],
      [
        'every kind of character',
        'é ß 漢 \u{1f600} \u{feff} \u{2028} \r\n\t \u{0} \u{7f} \u{10ffff} "\'%_\\',
      ],
      ['a megabyte', `"${'0123456789abcde\u{e9}'.repeat(60_000)}"`],
    ])('a value comes back byte for byte: %s', async ([, value = ''], context) => {
      const subject = await openSubject(context, open);
      const writer = subject.writer();

      await writer.put('plugin_metadata/x', value);

      expect((await writer.get('plugin_metadata/x'))?.value === value).toBe(true);
      expect((await subject.load()).entries[0]?.value === value).toBe(true);
    });

    test('compare-and-swap with 0 creates a key that is absent', async (context) => {
      const writer = (await openSubject(context, open)).writer();

      const { revision, previous } = await writer.compareAndSwap('upstreams/1', 'new', 0);

      expect(previous).toBeUndefined();
      expect(await writer.get('upstreams/1')).toMatchObject({ value: 'new', createRevision: revision });
    });

    test('compare-and-swap replaces the version it expects', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      const created = await writer.put('upstreams/1', 'old');

      const swapped = await writer.compareAndSwap('upstreams/1', 'new', created.revision);

      expect(swapped.previous).toMatchObject({ value: 'old', modRevision: created.revision });
      expect(await writer.get('upstreams/1')).toMatchObject({
        value: 'new',
        createRevision: created.revision,
        modRevision: swapped.revision,
      });
    });

    test.for([
      ['absent, and it is there', 'there', 0],
      ['at an older revision', 'there', -1],
      ['at a later revision', 'there', 1],
      ['there, and it is absent', 'absent', 1],
    ] as const)(
      'compare-and-swap writes nothing when the key is expected %s',
      async ([, key, offset], context) => {
        const subject = await openSubject(context, open);
        const writer = subject.writer();
        await writer.put('there', 'first');
        const { revision } = await writer.put('there', 'second');
        const before = await subject.load();

        const expected = offset === 0 ? 0 : revision + offset;
        const swap = writer.compareAndSwap(key, 'third', expected);

        await expect(swap).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
        expect(await subject.load()).toEqual(before);
      },
    );

    test('of many that swap the same version at once, one wins', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      const { revision } = await writer.put('upstreams/1', 'old');
      const names = Array.from({ length: 10 }, (_, index) => `writer ${index}`);

      const outcomes = await Promise.allSettled(
        names.map((name) => writer.compareAndSwap('upstreams/1', name, revision)),
      );

      const winners = names.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      const losses = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
      expect(winners).toHaveLength(1);
      expect(losses).toHaveLength(9);
      for (const loss of losses) expect(loss).toMatchObject({ code: 'STORE_CONFLICT' });
      expect(await writer.get('upstreams/1')).toMatchObject({ value: winners[0] });
    });

    test('every write has a revision of its own, later than those answered before it', async (context) => {
      const writer = (await openSubject(context, open)).writer();
      const keys = Array.from({ length: 50 }, (_, index) => `upstreams/${index}`);
      const before = await writer.put('upstreams/0', 'before');

      const together = await Promise.all(keys.map((key) => writer.put(key, 'together')));
      const after = await writer.put('upstreams/0', 'after');

      const revisions = together.map(({ revision }) => revision);
      expect(new Set(revisions).size).toBe(50);
      expect(Math.min(...revisions)).toBeGreaterThan(before.revision);
      expect(Math.max(...revisions)).toBeLessThan(after.revision);
    });

    test('writes that were made from elsewhere are seen at once', async (context) => {
      const subject = await openSubject(context, open);
      const writeFromElsewhere = subject.need('writeFromElsewhere');
      const writer = subject.writer();

      await writeFromElsewhere('upstreams/1', 'theirs');
      expect(await writer.get('upstreams/1')).toMatchObject({ value: 'theirs' });
      await expect(writer.compareAndSwap('upstreams/1', 'ours', 0)).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
      });
      await writeFromElsewhere('upstreams/1', undefined);
      expect(await writer.get('upstreams/1')).toBeUndefined();
    });
  });
}
