import { once } from 'node:events';
import { createServer } from 'node:http';
import { startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { etcdOptions } from './etcd-options.ts';
import type { EtcdSettings } from './etcd-options.ts';
import { openEtcdStore } from './etcd-store.ts';
import { initEtcd } from './init-etcd.ts';

const TRYING = 'trying to initialize the data of etcd';

test('writes the placeholder of every directory, and leaves what is there alone', async () => {
  const etcd = await etcdForTest();
  await init({ host: [etcd.endpoint] });
  const store = openEtcdStore(etcdOptions({ host: [etcd.endpoint] }));
  onTestFinished(() => store.close());
  await store.writer?.put('upstreams/1', '{}');

  const lines = await init({ host: [etcd.endpoint] });
  const { entries } = await store.load(new AbortController().signal);

  expect(lines).toEqual({ ok: true, out: [TRYING], err: [] });
  expect(entries.map(({ key, value }) => `${key} = ${value}`)).toEqual([
    'consumer_groups/ = init_dir',
    'consumers/ = init_dir',
    'global_rules/ = init_dir',
    'plugin_configs/ = init_dir',
    'plugin_metadata/ = init_dir',
    'plugins/ = init_dir',
    'protos/ = init_dir',
    'routes/ = init_dir',
    'secrets/ = init_dir',
    'services/ = init_dir',
    'ssls/ = init_dir',
    'stream_routes/ = init_dir',
    'upstreams/ = init_dir',
    'upstreams/1 = {}',
  ]);
});

test('one of three hosts may be away', async () => {
  const [first, second, away] = [await etcdForTest(), await etcdForTest(), await stoppedEtcd()];

  const { ok, out, err } = await init({ host: [away.endpoint, first.endpoint, second.endpoint] });

  const url = `${away.endpoint}/version`;
  expect(ok).toBe(true);
  expect(out).toEqual([
    `Warning! Request etcd endpoint '${url}' error, connection refused, retry time=1`,
    `Warning! Request etcd endpoint '${url}' error, connection refused, retry time=2`,
    TRYING,
  ]);
  expect(err).toEqual([`request etcd endpoint '${url}' error, connection refused`]);
});

test('one of two hosts must not be away', async () => {
  const [etcd, away] = [await etcdForTest(), await stoppedEtcd()];

  const { ok, err } = await init({ host: [etcd.endpoint, away.endpoint] });

  expect(ok).toBe(false);
  expect(err.at(-1)).toBe('the etcd cluster needs at least 50% and above healthy nodes');
});

test('no host at all is said so', async () => {
  const away = await stoppedEtcd();

  const { ok, out, err } = await init({ host: [away.endpoint], startup_retry: 1 });

  expect(ok).toBe(false);
  expect(out).toHaveLength(1);
  expect(err.at(-1)).toBe('all etcd nodes are unavailable');
});

test.for([
  [
    '{"etcdserver":"3.3.27","etcdcluster":"3.3.0"}',
    'etcd cluster version 3.3.0 is less than the required version 3.4.0, please upgrade your etcd cluster',
  ],
  ['not found', 'got malformed version message: "not found" from etcd "URL/version"'],
  ['{"etcdcluster":4}', 'got malformed version message: "{"etcdcluster":4}" from etcd "URL/version"'],
  ['null', 'got malformed version message: "null" from etcd "URL/version"'],
] as const)('a host that answers %s is refused', async ([body, line]) => {
  const url = await answering(body);

  const { ok, err } = await init({ host: [url] });

  expect(ok).toBe(false);
  expect(err).toEqual([line.replace('URL', url)]);
});

test('a password that etcd does not know, or does not ask for, is shown with its reason', async () => {
  const etcd = await etcdForTest();
  const root = { host: [etcd.endpoint], user: 'root', password: 'secret' };

  const withoutAuth = await init(root);
  await enableAuth(etcd);
  const wrong = await init({ ...root, password: 'guess' });
  const right = await init(root);

  expect(withoutAuth).toMatchObject({ ok: false });
  expect(withoutAuth.err).toEqual([
    `got malformed auth message: "etcdserver: authentication is not enabled" from etcd "${etcd.endpoint}"`,
  ]);
  expect(wrong.err).toEqual([
    `got malformed auth message: "etcdserver: authentication failed, invalid user ID or password" from etcd "${etcd.endpoint}"`,
  ]);
  expect(right).toMatchObject({ ok: true, err: [] });
});

test('a certificate nobody signed is refused unless verification is off', async () => {
  const etcd = await startEtcd({ tls: true });
  onTestFinished(() => etcd.close());

  const strict = await init({ host: [etcd.endpoint], startup_retry: 1 });
  const lax = await init({ host: [etcd.endpoint], tls: { verify: false } });

  expect(strict.err[0]).toBe(
    `request etcd endpoint '${etcd.endpoint}/version' error, certificate verify failed`,
  );
  expect(lax).toMatchObject({ ok: true, err: [] });
});

async function init(settings: EtcdSettings): Promise<{ ok: boolean; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const { ok } = await initEtcd(etcdOptions(settings), {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { ok, out, err };
}

async function etcdForTest(): Promise<EtcdServer> {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.close());
  return etcd;
}

async function stoppedEtcd(): Promise<EtcdServer> {
  const etcd = await etcdForTest();
  await etcd.stop();
  return etcd;
}

async function answering(body: string): Promise<string> {
  const server = createServer((_, response) => response.end(body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
  return `http://127.0.0.1:${address.port}`;
}

async function enableAuth(etcd: EtcdServer): Promise<void> {
  await etcd.request('auth/user/add', { name: 'root', password: 'secret' });
  await etcd.request('auth/user/grant', { user: 'root', role: 'root' });
  await etcd.request('auth/enable', {});
}
