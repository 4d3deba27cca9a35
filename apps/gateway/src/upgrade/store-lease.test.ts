import { createMemoryStore } from '@apisix-ts/config';
import type { MemoryStore } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { expect, test } from 'vitest';
import { StoreLease } from './store-lease.ts';

/** A lease of one store after the other, as of a file that is closed and opened. */
function leaseOf(...stores: readonly MemoryStore[]): StoreLease {
  const rest = stores.values();
  return new StoreLease('leased', async () => {
    const next = rest.next().value;
    if (next === undefined) throw new GatewayError('STORE_LOCKED', 'somebody else has it');
    // The lease closes what it releases; here the content has to outlive that.
    return { ...next, close: async () => {} };
  });
}

test('what is asked while nobody has the store waits for its next holder', async () => {
  const store = createMemoryStore();
  const lease = leaseOf(store, store);
  await lease.take();
  await lease.release();

  const written = lease.writer.put('a', '1');
  expect(await store.writer.get('a')).toBeUndefined();
  await lease.take();

  expect(await written).toEqual({ revision: 2 });
});

test('what was asked before a release is carried out', async () => {
  const store = createMemoryStore();
  const lease = leaseOf(store);
  await lease.take();

  const written = lease.writer.put('a', '1');
  await lease.release();

  expect(await written).toEqual({ revision: 2 });
});

test('a watch goes on where it was when the store is opened again', async () => {
  const store = createMemoryStore();
  const [first, second] = [closable(store), closable(store)];
  const stores = [first, second].values();
  const lease = new StoreLease('leased', async () => stores.next().value ?? first);
  const { revision } = await lease.load(AbortSignal.timeout(60_000));
  const changes = lease.watch(revision, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();
  await lease.writer.put('a', '1');
  expect((await changes.next()).value).toMatchObject({ revision: 2 });

  await lease.release();
  await lease.take();
  await lease.writer.put('b', '1');

  expect((await changes.next()).value).toMatchObject({ revision: 3 });
});

test('what waits goes to another process that has the store for good, and nothing changes here any more', async () => {
  const [store, theirs] = [createMemoryStore(), createMemoryStore()];
  const lease = leaseOf(store);
  const { revision } = await lease.load(AbortSignal.timeout(60_000));
  const ending = new AbortController();
  const changes = lease.watch(revision, ending.signal)[Symbol.asyncIterator]();
  await lease.release();
  const written = lease.writer.put('a', '1');

  lease.giveTo(theirs.writer);
  await written;

  expect(await theirs.writer.get('a')).toMatchObject({ value: '1' });
  const next = changes.next();
  ending.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('those who wait are told why the store cannot be opened again', async () => {
  const lease = leaseOf(createMemoryStore());
  await lease.take();
  await lease.release();
  const written = lease.writer.put('a', '1');

  await expect(lease.take()).rejects.toMatchObject({ code: 'STORE_LOCKED' });

  await expect(written).rejects.toMatchObject({ code: 'STORE_LOCKED' });
});

test('a store that cannot be closed is held as before, for what waits too', async () => {
  const store = createMemoryStore();
  const lease = new StoreLease('leased', async () => ({
    ...store,
    close: () => Promise.reject(new Error('it is busy')),
  }));
  const { revision } = await lease.load(AbortSignal.timeout(60_000));
  const changes = lease.watch(revision, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();

  const releasing = lease.release();
  const written = lease.writer.put('a', '1');

  await expect(releasing).rejects.toThrow('it is busy');
  expect(await written).toEqual({ revision: 2 });
  expect((await changes.next()).value).toMatchObject({ revision: 2 });
});

test('a store is opened again only when it is closed', async () => {
  const store = createMemoryStore();
  const events: string[] = [];
  const lease = new StoreLease('leased', async () => {
    events.push('opened');
    return { ...store, close: async () => void events.push('closed') };
  });
  await lease.take();

  const releasing = lease.release();
  await lease.take();
  await releasing;

  expect(events).toEqual(['opened', 'closed', 'opened']);
});

/** Ends its watches when it is closed, as a store in a file does. */
function closable(store: MemoryStore): MemoryStore {
  const closing = new AbortController();
  return {
    ...store,
    watch: (since, signal) => store.watch(since, AbortSignal.any([signal, closing.signal])),
    close: async () => closing.abort(),
  };
}
