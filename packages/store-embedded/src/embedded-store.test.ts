import type { Store } from '@apisix-ts/config';
import { createManualClock, testStore } from '@apisix-ts/config/contract';
import { copyFile, open as openFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from './embedded-store.ts';
import type { EmbeddedStore, EmbeddedStoreOptions } from './embedded-store.ts';
import { makeFolder } from './fixtures/folder.ts';

const forever = new AbortController().signal;

testStore('embedded', async () => {
  const folder = await makeFolder();
  const clock = createManualClock();
  const reopen = (): Promise<Store> => openEmbeddedStore({ path: join(folder.path, 'store.db'), clock });
  return {
    store: await reopen(),
    disturb: { reopen, advance: async (seconds) => clock.advance(seconds * 1000) },
    dispose: folder.remove,
  };
});

test('the example of the README', async () => {
  const data = dirname(await newPath());
  const signal = AbortSignal.timeout(60_000);

  const store = await openEmbeddedStore({ path: join(data, 'apisix.db') });
  const { revision } = await store.load(signal);
  await store.writer.put('stream_routes/1', '{"id":"1"}');
  for await (const change of store.watch(revision, signal)) {
    expect(change).toMatchObject({
      revision: 2,
      events: [{ type: 'put', entry: { key: 'stream_routes/1' } }],
    });
    break;
  }
  await store.close();
});

test.for([0, 1, 3, 40])('a long list is of one revision, with %i writes in between', async (writes) => {
  const store = await open({ path: await newPath() });
  const keys = Array.from({ length: 1700 }, (_, index) => `a/${String(index).padStart(4, '0')}`);
  await Promise.all([...keys, 'b'].map((key) => store.writer.put(key, 'old')));
  const written: (readonly [key: string, revision: number])[] = [];

  const listing = store.writer.list('a/');
  for (const key of keys.slice(0, writes).flatMap((first, index) => [first, keys.at(-1 - index) ?? ''])) {
    written.push([key, (await store.writer.put(key, 'new')).revision]);
  }

  const { entries, revision } = await listing;
  expect(entries.map(({ key }) => key)).toEqual(keys);
  const seen = new Set(written.filter(([, at]) => at <= revision).map(([key]) => key));
  expect(entries.filter(({ value }) => value === 'new').map(({ key }) => key)).toEqual([...seen].sort());
  await store.close();
});

test('a long list ends with an error when the store is closed meanwhile', async () => {
  const store = await open({ path: await newPath() });
  await Promise.all(Array.from({ length: 600 }, (_, index) => store.writer.put(`a/${index}`, '1')));

  const listing = store.writer.list('a/');

  await Promise.all([expect(listing).rejects.toMatchObject({ code: 'STORE_CLOSED' }), store.close()]);
});

test('every write passes exactly one revision, from 2 on, across a restart', async () => {
  const path = await newPath();
  const first = await open({ path });
  const revisions = [
    (await first.load(forever)).revision,
    (await first.writer.put('a', '1')).revision,
    (await first.writer.delete('a'))?.revision,
  ];
  await first.close();

  const second = await open({ path });
  revisions.push((await second.writer.put('a', '2')).revision);

  expect(revisions).toEqual([1, 2, 3, 4]);
});

test('a watch can be as many changes behind as the history is long, and no more', async () => {
  const store = await open({ path: await newPath(), historyLength: 3 });
  for (const key of ['a', 'b', 'c', 'd', 'e']) await store.writer.put(key, '');

  const inTime = await store.watch(3, forever)[Symbol.asyncIterator]().next();
  const tooLate = store.watch(2, forever)[Symbol.asyncIterator]().next();

  expect(inTime.value).toMatchObject({ revision: 4, events: [{ type: 'put', entry: { key: 'c' } }] });
  await expect(tooLate).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
});

test('who follows closely, from memory, is told what who comes later reads from the file', async () => {
  const store = await open({ path: await newPath() });
  const { revision } = await store.load(forever);
  const following = store.watch(revision, forever)[Symbol.asyncIterator]();
  const close: unknown[] = [];

  await store.writer.put('a', '1', { ttlSeconds: 60 });
  close.push(await following.next());
  await Promise.allSettled([
    store.writer.put('b', '2'),
    store.writer.compareAndSwap('a', 'lost', 1),
    store.writer.put('a', '3'),
    store.writer.delete('b'),
  ]);
  for (let count = 0; count < 3; count++) close.push(await following.next());

  const later = store.watch(revision, forever)[Symbol.asyncIterator]();
  const far: unknown[] = [];
  for (let count = 0; count < 4; count++) far.push(await later.next());
  expect(close).toEqual(far);
  await store.close();
});

test('a store that was restored from a backup is noticed', async () => {
  const path = await newPath();
  const store = await open({ path });
  await store.writer.put('a', 'in the backup');
  await store.close();
  await copyFile(path, `${path}.backup`);
  const later = await open({ path });
  const { revision } = await later.writer.put('a', 'after the backup');
  await later.close();
  await copyFile(`${path}.backup`, path);

  const restored = await open({ path });

  const watching = restored.watch(revision, forever)[Symbol.asyncIterator]().next();
  await expect(watching).rejects.toMatchObject({ code: 'STORE_REWOUND' });
  expect((await restored.load(forever)).entries).toMatchObject([{ value: 'in the backup' }]);
});

test('writes that wait when the store is closed are made', async () => {
  const path = await newPath();
  const store = await open({ path });

  const puts = Array.from({ length: 500 }, (_, index) => store.writer.put(`k${index}`, ''));
  await store.close();
  await Promise.all(puts);

  const again = await open({ path });
  expect((await again.load(forever)).entries).toHaveLength(500);
});

test('a lost swap does not harm the writes that share its commit', async () => {
  const { writer } = await open({ path: await newPath() });

  const [before, lost, after] = await Promise.allSettled([
    writer.put('a', '1'),
    writer.compareAndSwap('a', '2', 0),
    writer.put('b', '3'),
  ]);

  expect(before).toMatchObject({ value: { revision: 2 } });
  expect(lost).toMatchObject({
    reason: { code: 'STORE_CONFLICT', detail: { key: 'a', expected: 0, found: 2 } },
  });
  expect(after).toMatchObject({ value: { revision: 3 } });
});

test('a store whose file is taken away refuses writes, which would be lost, and still reads', async () => {
  const path = await newPath();
  const store = await open({ path });
  await store.writer.put('a', 'kept');

  await rename(path, `${path}.moved`);

  await expect(store.writer.put('a', 'lost')).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  expect(await store.writer.get('a')).toMatchObject({ value: 'kept' });
  await rename(`${path}.moved`, path);
  await store.writer.put('a', 'written');
});

test('a store that is damaged while it is open is reported, and touched no more', async () => {
  const path = await newPath();
  const store = await open({ path });
  const { writer } = store;
  // More than SQLite keeps in memory.
  const value = 'x'.repeat(1000);
  await Promise.all(Array.from({ length: 5000 }, (_, n) => writer.put(`k${n}`, value)));
  const file = await openFile(path, 'r+');
  const { size } = await file.stat();
  await file.write(Buffer.alloc(size - 40_960, 0xab), 0, undefined, 40_960);
  await file.close();

  await expect(store.load(forever)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  await expect(writer.put('k1', 'after')).rejects.toThrow('is neither read nor written any more');
  await expect(store.watch(1, forever)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
  });
});

test('only the owner can read the file and its log', async () => {
  const path = await newPath();
  const store = await open({ path });
  await store.writer.put('ssls/1', 'a private key');

  for (const file of [path, `${path}-wal`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
});

async function newPath(): Promise<string> {
  const folder = await makeFolder();
  onTestFinished(folder.remove);
  return join(folder.path, 'store.db');
}

async function open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const store = await openEmbeddedStore(options);
  onTestFinished(() => store.close());
  return store;
}
