import { freePort, startEtcd } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import { isServed } from '../testing/listener.ts';

const notice = 'access from the data plane to etcd should be read-only, skip initializing the data of etcd\n';

describe('a data plane writes nothing to etcd', () => {
  test('with init_etcd', async () => {
    const { home } = await createInstallation(dataPlane(`http://127.0.0.1:${await freePort()}`, 9100));

    expect(await apisix(['init_etcd', '-p', home])).toEqual({ status: 0, stdout: notice, stderr: '' });
  });

  test('with start, and then serves', async () => {
    const [etcd, port] = [await startEtcd(), await freePort()];
    onTestFinished(() => etcd.close());
    const { home } = await createInstallation(dataPlane(etcd.endpoint, port));

    const { status, stdout } = await apisix(['start', '-p', home]);

    expect([status, stdout]).toEqual([0, expect.stringContaining(notice)]);
    expect(await isServed(port)).toBe(true);
    const all = {
      key: Buffer.from('\0').toString('base64'),
      range_end: Buffer.from('\0').toString('base64'),
    };
    expect(await etcd.request('kv/range', all)).not.toHaveProperty('kvs');
  });
});

function dataPlane(endpoint: string, port: number): string {
  return streamConfig({ tcp: [port] }).replace(
    'deployment:',
    `deployment:
  role: data_plane
  role_data_plane: { config_provider: etcd }
  etcd: { host: ["${endpoint}"] }`,
  );
}
