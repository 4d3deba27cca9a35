import type { Store, StoreChange, StoreEntry } from '@apisix-ts/config';
import { openTcpGate, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { etcdOptions } from './etcd-options.ts';
import type { EtcdOptions } from './etcd-options.ts';
import { openEtcdStore } from './etcd-store.ts';

const WATCH_TIMEOUT_MS = 600;

describe('when etcd or the way to it fails', () => {
  test('a watch goes on over a restart of etcd', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest(etcd.endpoint);
    const changes = watch(store, (await load(store)).revision);
    await put(etcd, 'upstreams/1', 'one');
    expect(await nextValue(changes)).toBe('one');

    await etcd.restart();
    await put(etcd, 'upstreams/1', 'two');
    await etcd.restart();
    await put(etcd, 'upstreams/1', 'three');

    expect([await nextValue(changes), await nextValue(changes)]).toEqual(['two', 'three']);
  });

  test('a frozen etcd is noticed, and nothing is lost or repeated once it runs again', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest(etcd.endpoint, { timeoutMs: 1_000 });
    let changes = watch(store, (await load(store)).revision);
    await put(etcd, 'upstreams/1', 'one');
    const first = await changes.next();

    etcd.pause();
    await expect(changes.next()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    etcd.resume();
    changes = watch(store, first.value?.revision ?? 0);
    await put(etcd, 'upstreams/1', 'two');

    expect(await nextValue(changes)).toBe('two');
  });

  test('a write to a frozen etcd rejects in time and is not sent again', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest(etcd.endpoint, { timeoutMs: 3_000 });
    const { revision } = await write(store, 'upstreams/1', 'before');

    etcd.pause();
    await expect(write(store, 'upstreams/1', 'while frozen')).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: `etcd at ${etcd.endpoint} does not answer: nothing within 3000 ms`,
    });
    etcd.resume();

    // What lay in the kernel's buffers may or may not have been written; twice it never is.
    const after = await write(store, 'upstreams/1', 'after');
    expect(after.revision - revision).toBeLessThanOrEqual(2);
  });

  test('a watch that was cut off during a compaction ends', async () => {
    const etcd = await etcdForTest();
    const gate = await gateForTest(etcd);
    const store = storeForTest(`http://127.0.0.1:${gate.port}`);
    const changes = watch(store, (await load(store)).revision);
    await put(etcd, 'upstreams/1', 'one');
    expect(await nextValue(changes)).toBe('one');
    const next = changes.next();
    const outcome = expect(next).rejects.toMatchObject({ code: 'STORE_COMPACTED' });

    const open = gate.shut();
    await put(etcd, 'upstreams/1', 'two');
    await put(etcd, 'upstreams/1', 'three');
    const { revision } = await load(storeForTest(etcd.endpoint));
    await etcd.request('kv/compaction', { revision });
    open();

    await outcome;
  });

  test.for([
    ['with fewer writes', 1, 'new'],
    ['with as many writes and keys', 3, 'new'],
    ['with more writes', 20, 'new'],
    ['with the same keys and other values', 3, 'other'],
  ] as const)('a watch recognises an etcd that was wiped and written again %s', async ([, writes, word]) => {
    const etcd = await etcdForTest();
    const gate = await gateForTest(etcd);
    const store = storeForTest(`http://127.0.0.1:${gate.port}`);
    for (const id of [1, 2, 3]) await put(etcd, `upstreams/${id}`, 'old');
    const changes = watch(store, (await load(store)).revision);
    const next = changes.next();
    const outcome = expect(next).rejects.toMatchObject({ code: 'STORE_REWOUND' });

    const open = gate.shut();
    await etcd.wipe();
    for (let id = 1; id <= writes; id += 1) await put(etcd, `upstreams/${id}`, word);
    open();

    await outcome;
  });

  test('the next host is used when the first is dead, for reads, writes and watches', async () => {
    const etcd = await etcdForTest();
    const dead = await etcdForTest();
    await dead.stop();
    const store = storeForTest(dead.endpoint, { hosts: [dead.endpoint, etcd.endpoint] });

    const { revision } = await write(store, 'upstreams/1', 'one');
    const changes = watch(store, revision - 1);

    expect(await nextValue(changes)).toBe('one');
    expect((await load(store)).entries).toHaveLength(1);
  });

  test('an error about several hosts has the reason of each', async () => {
    const [first, second] = [await etcdForTest(), await etcdForTest()];
    await Promise.all([first.stop(), second.stop()]);
    const store = storeForTest(first.endpoint, { hosts: [first.endpoint, second.endpoint] });

    const error: unknown = await load(store).catch((reason: unknown) => reason);

    const refused = ({ endpoint }: EtcdServer): string =>
      `${endpoint} (connect ECONNREFUSED ${endpoint.slice('http://'.length)})`;
    expect(error).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: `none of the 2 hosts of etcd answers: ${refused(first)}, ${refused(second)}`,
    });
  });
});

describe('size', () => {
  test('a snapshot and its watch agree with etcd after 1 000 racing writes of another client', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest(etcd.endpoint);
    const racing = Promise.all(
      Array.from({ length: 10 }, async (_, client) => {
        for (let count = 0; count < 100; count += 1) {
          const key = `upstreams/${(count * 7 + client) % 60}`;
          if (count % 4 === 3) await etcd.request('kv/deleterange', { key: base64(`/apisix/${key}`) });
          else await put(etcd, key, `${client}/${count}`);
        }
      }),
    );
    const { revision, entries } = await load(store);
    const state = new Map(entries.map((entry) => [entry.key, entry]));
    const changes = watch(store, revision);

    const ended = racing.then(() => put(etcd, 'last', ''));
    while (!state.has('last')) apply(state, (await changes.next()).value);
    await ended;

    const expected = (await load(storeForTest(etcd.endpoint))).entries;
    expect([...state.values()].sort(byKey)).toEqual([...expected].sort(byKey));
  });

  test('20 000 keys load at one revision, and one write of many keys is one change', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest(etcd.endpoint);
    const names = Array.from(
      { length: 20_000 },
      (_, index) => `stream_routes/${String(index).padStart(6, '0')}`,
    );
    const before = await load(store);
    for (let from = 0; from < names.length; from += 125)
      await putTogether(etcd, names.slice(from, from + 125));

    const { revision, entries } = await load(store);
    const first = await watch(store, before.revision).next();

    expect(entries.map((entry) => entry.key)).toEqual(names);
    expect(revision).toBe(before.revision + 160);
    expect(first.value?.revision).toBe(before.revision + 1);
    expect(first.value?.events).toHaveLength(125);
  });

  test('a backlog larger than a message arrives whole', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest(etcd.endpoint);
    const { revision } = await load(store);
    const values = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(1_000_000));
    for (const value of values) await write(store, 'protos/1', value);

    const changes = watch(store, revision);

    for (const value of values) expect((await nextValue(changes)) === value).toBe(true);
  });

  test('a value that etcd does not take is refused by name', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest(etcd.endpoint);

    for (const bytes of [1_700_000, 3_000_000]) {
      await expect(write(store, 'protos/1', 'x'.repeat(bytes))).rejects.toMatchObject({
        code: 'STORE_VALUE_TOO_LARGE',
      });
    }
  });

  test('an etcd that is full says so', async () => {
    const etcd = await etcdForTest(['--quota-backend-bytes', '1']);
    const store = storeForTest(etcd.endpoint);

    await expect(write(store, 'upstreams/1', '{}')).rejects.toMatchObject({ code: 'STORE_FULL' });
  });
});

async function etcdForTest(extraArgs: readonly string[] = []): Promise<EtcdServer> {
  const etcd = await startEtcd({ extraArgs });
  onTestFinished(() => etcd.close());
  return etcd;
}

async function gateForTest(etcd: EtcdServer): ReturnType<typeof openTcpGate> {
  const gate = await openTcpGate(Number(new URL(etcd.endpoint).port));
  onTestFinished(() => gate.close());
  return gate;
}

function storeForTest(host: string, options: Partial<EtcdOptions> = {}): Store {
  const settings = {
    ...etcdOptions({ host: [host] }),
    timeoutMs: 30_000,
    watchTimeoutMs: WATCH_TIMEOUT_MS,
    ...options,
  };
  const store = openEtcdStore(settings, { random: () => 0 });
  onTestFinished(() => store.close());
  return store;
}

function load(store: Store): ReturnType<Store['load']> {
  return store.load(new AbortController().signal);
}

function watch(store: Store, since: number): AsyncIterator<StoreChange, void> {
  return store.watch(since, new AbortController().signal)[Symbol.asyncIterator]();
}

async function nextValue(changes: AsyncIterator<StoreChange, void>): Promise<string | undefined> {
  const event = (await changes.next()).value?.events[0];
  return event?.type === 'put' ? event.entry.value : undefined;
}

async function write(store: Store, key: string, value: string): Promise<{ readonly revision: number }> {
  if (store.writer === undefined) throw new TypeError('an etcd store has a writer');
  return store.writer.put(key, value);
}

async function put(etcd: EtcdServer, key: string, value: string): Promise<void> {
  await etcd.request('kv/put', { key: base64(`/apisix/${key}`), value: base64(value) });
}

async function putTogether(etcd: EtcdServer, keys: readonly string[]): Promise<void> {
  const value = base64('{"upstream":{"type":"roundrobin","nodes":{"127.0.0.1:8080":1}}}');
  await etcd.request('kv/txn', {
    success: keys.map((key) => ({ request_put: { key: base64(`/apisix/${key}`), value } })),
  });
}

function apply(state: Map<string, StoreEntry>, change: StoreChange | void): void {
  for (const event of change?.events ?? []) {
    if (event.type === 'put') state.set(event.entry.key, event.entry);
    else state.delete(event.key);
  }
}

function byKey(a: StoreEntry, b: StoreEntry): number {
  return a.key < b.key ? -1 : 1;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
