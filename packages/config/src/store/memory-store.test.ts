import { expect, test } from 'vitest';
import { createManualClock, testStore } from '../contract/index.ts';
import { createMemoryStore } from './memory-store.ts';

const forever = new AbortController().signal;

testStore('memory', async () => {
  const clock = createManualClock();
  const store = createMemoryStore({ clock });
  return {
    store,
    disturb: {
      advance: async (seconds) => clock.advance(seconds * 1000),
      compact: async () => store.compact(),
      wipe: async () => store.wipe(),
    },
  };
});

test('every write passes exactly one revision, from 2 on', async () => {
  const store = createMemoryStore();

  const revisions = [
    (await store.load(forever)).revision,
    (await store.writer.put('a', '1')).revision,
    (await store.writer.put('a', '2')).revision,
    (await store.writer.delete('a'))?.revision,
  ];

  expect(revisions).toEqual([1, 2, 3, 4]);
});

test('a watch can be as many changes behind as the history is long, and no more', async () => {
  const store = createMemoryStore({ historyLength: 3 });
  for (const key of ['a', 'b', 'c', 'd', 'e']) await store.writer.put(key, '');

  const inTime = await store.watch(3, forever)[Symbol.asyncIterator]().next();
  const tooLate = store.watch(2, forever)[Symbol.asyncIterator]().next();

  expect(inTime.value).toMatchObject({ revision: 4, events: [{ type: 'put', entry: { key: 'c' } }] });
  await expect(tooLate).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
});

test('a reader that falls behind a short history is told so, instead of being kept a queue', async () => {
  const store = createMemoryStore({ historyLength: 3 });
  const watching = store.watch(1, forever)[Symbol.asyncIterator]();
  const first = watching.next();
  for (const key of ['a', 'b', 'c', 'd', 'e']) await store.writer.put(key, '');

  expect((await first).value).toMatchObject({ revision: 2 });
  await expect(watching.next()).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
});

test('a wipe is noticed even when the revision has grown back', async () => {
  const store = createMemoryStore();
  await store.writer.put('a', '');
  const pending = store.watch(2, forever)[Symbol.asyncIterator]().next();

  store.wipe();
  for (const key of ['b', 'c', 'd']) await store.writer.put(key, '');

  await expect(pending).rejects.toMatchObject({ code: 'STORE_REWOUND' });
});
