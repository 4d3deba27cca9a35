import { freePort, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import { isServed } from '../testing/listener.ts';

describe('init_etcd', () => {
  test('does nothing when the configuration is kept elsewhere', async () => {
    const { home } = await createInstallation(streamConfig({ tcp: [9100] }));

    expect(await apisix(['init_etcd', '-p', home])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('writes the key layout, and may be repeated', async () => {
    const etcd = await etcdForTest();
    const { home } = await createInstallation(etcdConfig(etcd.endpoint, 9100));

    const first = await apisix(['init_etcd', '-p', home]);
    const second = await apisix(['init_etcd', '-p', home]);

    const outcome = { status: 0, stdout: 'trying to initialize the data of etcd\n', stderr: '' };
    expect([first, second]).toEqual([outcome, outcome]);
    expect(await readKey(etcd, '/apisix/stream_routes/')).toBe('init_dir');
  });

  test('fails with the reason when etcd is away', async () => {
    const { home } = await createInstallation(etcdConfig(`http://127.0.0.1:${await freePort()}`, 9100));

    const { status, stdout, stderr } = await apisix(['init_etcd', '-p', home]);

    expect(status).toBe(1);
    expect(stdout).toContain('connection refused, retry time=2');
    expect(stderr).toContain('all etcd nodes are unavailable');
  });
});

describe('start with etcd', () => {
  test('prepares etcd before the gateway serves', async () => {
    const [etcd, port] = await Promise.all([etcdForTest(), freePort()]);
    const { home } = await createInstallation(etcdConfig(etcd.endpoint, port));

    const { status, stdout } = await apisix(['start', '-p', home]);

    expect([status, stdout]).toEqual([0, expect.stringContaining('trying to initialize the data of etcd')]);
    expect(await readKey(etcd, '/apisix/routes/')).toBe('init_dir');
    expect(await isServed(port)).toBe(true);
  });

  test('fails when etcd is away', async () => {
    const port = await freePort();
    const { home } = await createInstallation(etcdConfig(`http://127.0.0.1:${await freePort()}`, port));

    const { status, stderr } = await apisix(['start', '-p', home]);

    expect([status, stderr]).toEqual([1, expect.stringContaining('all etcd nodes are unavailable')]);
    expect(await isServed(port)).toBe(false);
  });
});

function etcdConfig(endpoint: string, port: number): string {
  return streamConfig({ tcp: [port] }).replace(
    'deployment:',
    `deployment:\n  etcd: { host: ["${endpoint}"] }`,
  );
}

async function etcdForTest(): Promise<EtcdServer> {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.close());
  return etcd;
}

async function readKey(etcd: EtcdServer, key: string): Promise<string | undefined> {
  const answer = await etcd.request('kv/range', { key: Buffer.from(key).toString('base64') });
  const [found] = Object(answer).kvs ?? [];
  return found === undefined ? undefined : Buffer.from(String(found.value), 'base64').toString();
}
