import { connectPeer, openEcho, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configYaml, createInstallation } from './testing/installation.ts';
import type { Installation, Ports } from './testing/installation.ts';
import { untilApplied } from './testing/until-applied.ts';

describe('a gateway whose etcd is away', () => {
  test('starts from what it kept, says so everywhere, and takes over what has changed when etcd is back', async () => {
    const { etcd, installation } = await setUp();
    const { ports, start, read } = installation;
    const echo = await openEcho();
    onTestFinished(() => echo.close());
    const route = { upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } } };
    const first = await start();
    await put(ports, 'stream_routes/1', route, 201);
    await put(ports, 'upstreams/gone', { ...route.upstream }, 201);
    const [, stored] = await ask(ports.admin, '/apisix/admin/upstreams/gone');
    await untilApplied(ports.control, Object(stored).modifiedIndex);
    await first.stop();
    await etcd.stop();

    const starting = start();
    // The status API is there first; it tells that the gateway is not.
    await expect
      .poll(() => ask(ports.status, '/status/ready').catch(() => undefined))
      .toEqual([503, { status: 'error', error: expect.any(String) }]);
    await starting;

    await expectEcho(ports.stream);
    const [, ready] = await ask(ports.status, '/status/ready');
    expect(ready).toMatchObject({ status: 'ok', snapshot: { revision: expect.any(Number) } });
    expect(await ask(ports.control, '/v1/config/status')).toMatchObject([
      200,
      {
        config_provider: 'etcd',
        store: { state: 'away', error: expect.stringContaining('ECONNREFUSED') },
        snapshot: { serving: true, path: `${installation.home}/data/etcd-snapshot.jsonl` },
      },
    ]);
    expect(await metrics(ports)).toEqual(
      expect.arrayContaining(['apisix_etcd_reachable 0', 'apisix_config_from_snapshot 1']),
    );
    await put(ports, 'stream_routes/2', route, 503);
    expect(await read('logs/error.log')).toMatch(/serving the last snapshot kept on disk .*age_s=\d+/);

    const session = await connectPeer(ports.stream);
    await session.send('before');
    expect((await session.take(6)).toString()).toBe('before');
    await etcd.restart();
    await etcd.request('kv/deleterange', { key: base64('/apisix/upstreams/gone') });
    await expect
      .poll(() => ask(ports.control, '/v1/config/status'))
      .toMatchObject([200, { store: { state: 'following' }, snapshot: { serving: false } }]);

    await session.send('after');
    expect((await session.take(5)).toString()).toBe('after');
    session.destroy();
    expect(await ask(ports.status, '/status/ready')).toEqual([200, { status: 'ok' }]);
    expect(await metrics(ports)).toEqual(
      expect.arrayContaining(['apisix_etcd_reachable 1', 'apisix_config_from_snapshot 0']),
    );
    expect((await ask(ports.admin, '/apisix/admin/upstreams/gone'))[0]).toBe(404);
    await put(ports, 'stream_routes/2', route, 201);
  });

  test('does not start where keeping is switched off', async () => {
    const { etcd, installation } = await setUp('snapshot: { enable: false }');
    const { ports, start, read } = installation;
    const first = await start();
    await put(ports, 'upstreams/1', { type: 'roundrobin', nodes: { '127.0.0.1:1': 1 } }, 201);
    expect((await ask(ports.control, '/v1/config/status'))[1]).not.toHaveProperty('snapshot');
    await first.stop();
    await etcd.stop();

    await expect(start()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });

    await expect(read('data/etcd-snapshot.jsonl')).rejects.toThrow('ENOENT');
  });
});

async function setUp(etcdSetting = ''): Promise<{
  readonly etcd: EtcdServer;
  readonly installation: Installation;
}> {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.close());
  const installation = await createInstallation();
  await installation.configure(
    configYaml(installation.ports).replace(
      'deployment:',
      `deployment:\n  etcd:\n    host: ["${etcd.endpoint}"]\n    timeout: 2\n    ${etcdSetting}`,
    ),
  );
  return { etcd, installation };
}

async function put(ports: Ports, path: string, body: object, expected: number): Promise<void> {
  const url = `http://127.0.0.1:${ports.admin}/apisix/admin/${path}`;
  const response = await fetch(url, { method: 'PUT', body: JSON.stringify(body) });
  expect([response.status, await response.text()]).toEqual([expected, expect.any(String)]);
}

async function ask(port: number, path: string): Promise<[status: number, body: unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.json()];
}

async function metrics({ metrics: port }: Ports): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/apisix/prometheus/metrics`);
  return (await response.text()).split('\n');
}

async function expectEcho(port: number): Promise<void> {
  const client = await connectPeer(port);
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');
  client.destroy();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
