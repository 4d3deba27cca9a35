import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Store, StoreSnapshot } from '@apisix-ts/config';
import { startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { etcdOptions } from './etcd-options.ts';
import type { EtcdOptions, EtcdSettings } from './etcd-options.ts';
import { openEtcdStore } from './etcd-store.ts';

describe('an etcd that asks for a password', () => {
  test('serves who has it', async () => {
    const etcd = await guardedEtcd();
    const store = storeForTest({ host: [etcd.endpoint], user: 'root', password: 'secret' });

    const put = await store.writer?.put('upstreams/1', '{}');

    expect((await load(store)).entries).toMatchObject([{ key: 'upstreams/1', modRevision: put?.revision }]);
  });

  test.for([
    ['a wrong one', { user: 'root', password: 'guess' }, 'invalid user ID or password'],
    ['an unknown user', { user: 'nobody', password: 'secret' }, 'invalid user ID or password'],
    ['none', {}, 'user name is empty'],
    ['a user who may do nothing', { user: 'guest', password: 'secret' }, 'permission denied'],
  ] as const)('denies a load, a write and a watch to who has %s', async ([, credentials, reason]) => {
    const etcd = await guardedEtcd();
    const store = storeForTest({ host: [etcd.endpoint], ...credentials });
    const changes = store.watch(1, new AbortController().signal)[Symbol.asyncIterator]();

    const outcomes = await Promise.allSettled([
      load(store),
      store.writer?.put('upstreams/1', '{}'),
      changes.next(),
    ]);

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'STORE_DENIED', message: expect.stringContaining(reason) },
      });
    }
  });

  test('is asked for a new token when it has forgotten the old one', async () => {
    const etcd = await guardedEtcd();
    const store = storeForTest({ host: [etcd.endpoint], user: 'root', password: 'secret' });
    const since = (await load(store)).revision;
    const changes = store.watch(since, new AbortController().signal)[Symbol.asyncIterator]();
    await store.writer?.put('upstreams/1', 'one');
    const first = await changes.next();

    // Tokens of this kind are in memory only.
    await etcd.restart();
    await store.writer?.put('upstreams/1', 'two');
    const second = await changes.next();

    expect(first.value?.events).toMatchObject([{ entry: { value: 'one' } }]);
    expect(second.value?.events).toMatchObject([{ entry: { value: 'two' } }]);
  });

  test('a password for an etcd without passwords is denied too', async () => {
    const etcd = await etcdForTest();
    const store = storeForTest({ host: [etcd.endpoint], user: 'root', password: 'secret' });

    await expect(load(store)).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: `etcd at ${etcd.endpoint} refuses us: etcdserver: authentication is not enabled`,
    });
  });
});

describe('an etcd behind TLS', () => {
  test('is not trusted without reason', async () => {
    const { etcd } = await secureEtcd();

    await expect(load(storeForTest({ host: [etcd.endpoint] }))).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('self-signed certificate'),
    });
  });

  test('is trusted when its authority is, or when verification is off', async () => {
    const { etcd, caFile } = await secureEtcd();

    const trusted = await load(storeForTest({ host: [etcd.endpoint] }, caFile));
    const unverified = await load(storeForTest({ host: [etcd.endpoint], tls: { verify: false } }));

    expect(trusted).toEqual(unverified);
  });

  test('must have the name that is asked for', async () => {
    const { etcd, caFile } = await secureEtcd();

    const other = storeForTest({ host: [etcd.endpoint], tls: { sni: 'other.test' } }, caFile);

    await expect(load(other)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('does not match certificate'),
    });
  });

  test('a file that cannot be read is named when the store is opened', () => {
    const open = (): Store =>
      openEtcdStore(etcdOptions({ host: ['https://127.0.0.1:1'] }, '/nowhere/ca.pem'));

    expect(open).toThrow(
      expect.objectContaining({
        code: 'SETTINGS_FILE_UNREADABLE',
        message: expect.stringContaining('/nowhere/ca.pem'),
      }),
    );
  });

  test.for([
    ['a certificate without its key', { host: ['https://127.0.0.1:1'], tls: { cert: '/nowhere/cert.pem' } }],
    ['a host that is no URL', { host: ['127.0.0.1:2379'] }],
  ] as const)('%s is a mistake in the settings', ([, settings]) => {
    expect(() => openEtcdStore(etcdOptions(settings))).toThrow(
      expect.objectContaining({ code: 'SETTINGS_INVALID' }),
    );
  });
});

test('settings of APISIX become options, in milliseconds', () => {
  const options: EtcdOptions = etcdOptions({
    host: ['http://[::1]:2379'],
    prefix: '/gw',
    timeout: 3,
    watch_timeout: 7,
    startup_retry: 5,
    health_check_timeout: 4,
  });

  expect(options).toEqual({
    hosts: ['http://[::1]:2379'],
    prefix: '/gw',
    timeoutMs: 3_000,
    watchTimeoutMs: 7_000,
    downMs: 4_000,
    startupAttempts: 5,
    tls: { verify: true },
  });
});

async function etcdForTest(): Promise<EtcdServer> {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.close());
  return etcd;
}

/** Users `root` and `guest`, both with the password `secret`. */
async function guardedEtcd(): Promise<EtcdServer> {
  const etcd = await etcdForTest();
  await etcd.request('auth/user/add', { name: 'guest', password: 'secret' });
  await etcd.request('auth/user/add', { name: 'root', password: 'secret' });
  await etcd.request('auth/user/grant', { user: 'root', role: 'root' });
  await etcd.request('auth/enable', {});
  return etcd;
}

async function secureEtcd(): Promise<{ readonly etcd: EtcdServer; readonly caFile: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'etcd-'));
  const etcd = await startEtcd({ tls: true, dataDir });
  onTestFinished(async () => {
    await etcd.close();
    await rm(dataDir, { recursive: true });
  });
  // Where etcd keeps the certificate it made for itself.
  return { etcd, caFile: join(dataDir, 'fixtures/client/cert.pem') };
}

function storeForTest(settings: EtcdSettings, caFile?: string): Store {
  const store = openEtcdStore({ ...etcdOptions(settings, caFile), timeoutMs: 5_000, watchTimeoutMs: 600 });
  onTestFinished(() => store.close());
  return store;
}

function load(store: Store): Promise<StoreSnapshot> {
  return store.load(new AbortController().signal);
}
