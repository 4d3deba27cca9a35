import { DocumentSet, createMemoryStore, resourceKinds } from '@apisix-ts/config';
import type { StoreWriter } from '@apisix-ts/config';
import { expect, test } from 'vitest';
import { openAdmin } from './testing/open-admin.ts';

const upstream = JSON.stringify({ nodes: {} });
const route = JSON.stringify({ upstream_id: '1' });
const inUse = { error_msg: 'can not delete this upstream, stream_route [1] is still using it now' };

test('a deletion sees every write that was acknowledged before it', async () => {
  await using admin = await openAdmin();
  await admin.send('PUT', '/upstreams/1', upstream);

  for (let round = 0; round < 30; round += 1) {
    expect((await admin.send('PUT', '/stream_routes/1', route)).status).toBe(round === 0 ? 201 : 200);
    const refused = await admin.send('DELETE', '/upstreams/1');
    await admin.send('PUT', '/stream_routes/1', '{}');
    const other = await admin.send('DELETE', '/upstreams/1');
    await admin.send('PUT', '/upstreams/1', upstream);

    expect([refused.status, JSON.parse(refused.text), other.status]).toEqual([400, inUse, 200]);
  }
});

test('a deletion reads the store when the copy does not catch up', async () => {
  await using admin = await openAdmin({
    documents: new DocumentSet([], () => ({ ok: false, message: 'never asked' })),
    applied: (_revision, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('too late')));
      }),
    appliedTimeoutMs: 1,
  });
  await admin.send('PUT', '/upstreams/1', upstream);
  await admin.send('PUT', '/stream_routes/1', route);

  const refused = await admin.send('DELETE', '/upstreams/1');
  await admin.send('DELETE', '/stream_routes/1');
  const deleted = await admin.send('DELETE', '/upstreams/1');

  expect([refused.status, JSON.parse(refused.text), deleted.status]).toEqual([400, inUse, 200]);
});

test('a resource keeps its time of creation, which is in the copy, or in the store while the copy is behind', async () => {
  const documents = new DocumentSet(resourceKinds, (_kind, document) => ({ ok: true, document }));
  const store = createMemoryStore();
  let reads = 0;
  const writer: StoreWriter = {
    ...store.writer,
    get(key) {
      reads += 1;
      return store.writer.get(key);
    },
  };
  let nowMs = 0;
  await using admin = await openAdmin({ writer, documents, now: () => nowMs });
  const put = async (): Promise<unknown> => {
    nowMs += 1000;
    return JSON.parse((await admin.send('PUT', '/services/1', '{}')).text);
  };
  const value = (updateTime: number): object => ({ id: '1', create_time: 1, update_time: updateTime });

  await put();
  const behind = await put();
  const readsBehind = reads;
  documents.load(await store.load(AbortSignal.timeout(1000)));
  const current = await put();

  expect([behind, current]).toMatchObject([{ value: value(2) }, { value: value(3) }]);
  expect([readsBehind, reads]).toEqual([2, 2]);
  await store.close();
});

test('a patch of what changed since it was read is refused and writes nothing', async () => {
  const store = createMemoryStore();
  const other = JSON.stringify({ id: '1', nodes: {}, desc: 'theirs' });
  await store.writer.put('upstreams/1', JSON.stringify({ id: '1', nodes: {} }));
  const writer: StoreWriter = {
    ...store.writer,
    async get(key) {
      const entry = await store.writer.get(key);
      await store.writer.put(key, other);
      return entry;
    },
  };
  await using admin = await openAdmin({ writer });

  const reply = await admin.send('PATCH', '/upstreams/1', '{"desc":"mine"}');

  expect([reply.status, reply.text]).toEqual([503, '{"error_msg":"value changed before overwritten"}\n']);
  expect((await store.writer.get('upstreams/1'))?.value).toBe(other);
  await store.close();
});

test('the ttl of a write goes to the store, and a write without one has none', async () => {
  const store = createMemoryStore();
  const leases: unknown[] = [];
  const writer: StoreWriter = {
    ...store.writer,
    put(key, value, options) {
      leases.push([key, options]);
      return store.writer.put(key, value, options);
    },
    compareAndSwap(key, value, expected, options) {
      leases.push([key, options]);
      return store.writer.compareAndSwap(key, value, expected, options);
    },
  };
  await using admin = await openAdmin({ writer });

  await admin.send('PUT', '/services/1?ttl=60', '{}');
  await admin.send('PATCH', '/services/1?ttl=61', '{}');
  await admin.send('PUT', '/services/1', '{}');

  expect(leases).toEqual([
    ['services/1', { ttlSeconds: 60 }],
    ['services/1', { ttlSeconds: 61 }],
    ['services/1', {}],
  ]);
  await store.close();
});

test('every write of a resource is announced with its revision before it is answered', async () => {
  const announced: number[] = [];
  await using admin = await openAdmin({ onWritten: (revision) => announced.push(revision) });

  await admin.send('POST', '/services', '{}');
  await admin.send('PUT', '/services/1', '{}');
  await admin.send('PATCH', '/services/1', '{}');
  await admin.send('DELETE', '/services/1');
  await admin.send('DELETE', '/services/1');

  expect(announced).toEqual([3, 4, 5, 6]);
});
