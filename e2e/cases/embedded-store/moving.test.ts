import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeer, makeCertificate, openEcho, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer, TestServer } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';

test('a configuration of every kind moves from embedded to etcd, back and into a file, and comes out as it went in', async () => {
  const [gateway, etcd, echo] = await Promise.all([createGatewayInstallation(), startEtcd(), openEcho()]);
  onTestFinished(async () => {
    await gateway.remove();
    await Promise.all([etcd.close(), echo.close()]);
  });
  const listen = `proxy_mode: http&stream\nstream_proxy: { tcp: [${gateway.streamPort}] }`;
  const file = (name: string): string => join(gateway.home, name);

  await gateway.configure(listen);
  await gateway.apisixOk('start');
  await fill(gateway, echo);
  await gateway.apisixOk('export', file('embedded.yaml'));
  await gateway.apisixOk('stop');

  await gateway.configure(listen, `etcd: { host: ["${etcd.endpoint}"] }`);
  const moved = await gateway.apisixOk('import', file('embedded.yaml'));
  await gateway.apisixOk('export', file('etcd.yaml'));
  await gateway.apisixOk('export', file('etcd.json'));
  await gateway.apisixOk('start');
  await expect.poll(() => isServed(gateway)).toBe(true);
  // Of a gateway that runs with etcd, the command asks etcd itself.
  const difference = await gateway.apisix('diff', '--prune', file('embedded.yaml'));
  await gateway.apisixOk('stop');

  await gateway.configure(listen, 'embedded: { path: data/second.db }');
  await gateway.apisixOk('import', file('etcd.yaml'));
  await gateway.apisixOk('export', file('second.yaml'));
  await gateway.configure(listen, 'embedded: { path: data/third.db }');
  await gateway.apisixOk('start');
  await gateway.apisixOk('import', file('etcd.json'));
  await expect.poll(() => isServed(gateway)).toBe(true);
  await gateway.apisixOk('export', file('third.yaml'));
  await gateway.apisixOk('export', file('conf/apisix.yaml'));
  await gateway.apisixOk('stop');

  const fileDriven = 'role_traditional: { config_provider: yaml }';
  await gateway.configure(`enable_admin: false\n${listen}`, fileDriven);
  await gateway.apisixOk('start');
  await expect.poll(() => isServed(gateway)).toBe(true);
  await gateway.apisixOk('export', file('file.yaml'));
  const unwritable = await gateway.apisix('import', '--prune', file('others.yaml'));

  const before = await readFile(file('embedded.yaml'), 'utf8');
  for (const name of ['etcd.yaml', 'second.yaml', 'third.yaml', 'file.yaml']) {
    expect(await readFile(file(name), 'utf8')).toBe(before);
  }
  expect(moved.stdout).toContain('19 created, 0 updated, 0 deleted, 0 unchanged\n');
  expect(difference).toMatchObject({ status: 0, stdout: expect.stringContaining('19 unchanged\n') });
  expect(unwritable).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot be written') });
  expect(before).not.toContain('PRIVATE KEY');
  expect(await valueIn(etcd, '/apisix/ssls/server')).toMatchObject({
    id: 'server',
    key: expect.not.stringContaining('-'),
  });
});

/** Every kind of resource, as much as the Admin API lets, and the rest, of other products, by an import. */
async function fill(gateway: GatewayInstallation, echo: TestServer): Promise<void> {
  const [server, client] = await Promise.all([
    makeCertificate({ names: ['a.example.com', '*.b.example.com'] }),
    makeCertificate({ names: ['gateway'], use: 'client' }),
  ]);
  const nodes = { [`127.0.0.1:${echo.port}`]: 1 };
  const resources: readonly (readonly [string, object])[] = [
    [
      '/secrets/vault/1',
      { uri: 'http://127.0.0.1:8200', prefix: 'kv/apisix', token: 'root', more: ['kept'] },
    ],
    ['/ssls/server', { ...server, snis: ['a.example.com', '*.b.example.com'] }],
    ['/ssls/client', { ...client, type: 'client' }],
    ['/upstreams/echo', { nodes, labels: { team: 'yes', on: 'no' }, desc: ' é "a" #1: \n b\t\n' }],
    [
      '/upstreams/7',
      { nodes: [{ host: 'localhost', port: 1, weight: 0, priority: -1 }], tls: { client_cert_id: 'client' } },
    ],
    ['/upstreams/own', { nodes, scheme: 'tls', tls: { client_cert: client.cert, client_key: client.key } }],
    ['/services/s', { upstream_id: 'echo', name: '0x10' }],
    ['/stream_routes/1', { service_id: 's', remote_addr: '127.0.0.0/8', desc: '1e3' }],
    ['/stream_routes/2', { upstream: { nodes, type: 'least_conn' }, server_port: 1, sni: '*.example.com' }],
    ['/protos/p', { content: 'syntax = "proto3";\npackage p;\n\nmessage Empty {}\n' }],
    ['/plugin_configs/pc', { plugins: {} }],
    ['/global_rules/g', { plugins: {} }],
    ['/consumer_groups/cg', { plugins: {} }],
    ['/consumers', { username: 'jack', group_id: 'cg', labels: { a: 'b' } }],
    ['/consumers/jack/credentials/one', { plugins: {}, desc: 'null' }],
    [
      '/routes/r',
      { uris: ['/*'], service_id: 's', plugin_config_id: 'pc', vars: [['arg_a', '==', '$HOME']] },
    ],
  ];
  for (const [path, document] of resources) {
    expect([path, (await gateway.admin('PUT', path, document)).status]).toEqual([path, 201]);
  }
  await writeFile(join(gateway.home, 'others.yaml'), others);
  await gateway.apisixOk('import', join(gateway.home, 'others.yaml'));
}

const others = `
plugin_metadata:
  - id: syslog
    log_format: { host: $host }
plugin_configs:
  - id: limited
    plugins: { limit-count: { count: 2, time_window: 0.5, rejected_msg: "" } }
plugins:
  - name: syslog
    stream: true
#END
`;

async function isServed({ streamPort }: GatewayInstallation): Promise<boolean> {
  const client = await connectPeer(streamPort);
  try {
    await client.send('hello');
    return (await client.take(5)).toString() === 'hello';
  } catch {
    return false; // Closed, for the route is not there yet.
  } finally {
    client.destroy();
  }
}

async function valueIn(etcd: EtcdServer, key: string): Promise<unknown> {
  const answer = await etcd.request('kv/range', { key: Buffer.from(key).toString('base64') });
  const [found] = Object(answer).kvs ?? [];
  return JSON.parse(Buffer.from(String(found.value), 'base64').toString());
}
