import { expect, test } from 'vitest';
import { configYaml, createInstallation } from './testing/installation.ts';
import { untilApplied } from './testing/until-applied.ts';

test('the Control API shows what the gateway has and would do', async () => {
  const { ports, configure, start } = await createInstallation();
  await configure(configYaml(ports));
  await start();
  const put = (path: string, body: object): Promise<Response> =>
    fetch(`http://127.0.0.1:${ports.admin}/apisix/admin/${path}`, {
      method: 'PUT',
      body: JSON.stringify(body),
    });
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${ports.control}${path}`)).json();
  await put('upstreams/db', { type: 'roundrobin', nodes: { '127.0.0.1:3306': 1 } });
  await put('stream_routes/mysql', { server_port: ports.stream, upstream_id: 'db' });
  await untilApplied(ports.control, 3);

  expect(await get(`/v1/explain?port=${ports.stream}`)).toMatchObject({
    connection: { protocol: 'tcp', port: ports.stream, to: '127.0.0.1', from: '127.0.0.1' },
    listener: { address: `127.0.0.1:${ports.stream}`, tls: 'not looked at', proxy_protocol: false },
    served: true,
    route: 'mysql',
    upstream: {
      resource: 'upstreams/db',
      nodes: [{ address: '127.0.0.1', port: 3306, healthy: true, sessions: 0, in_turn: true }],
    },
    candidates: [{ route: 'mysql', conditions: { server_port: ports.stream }, verdict: 'wins' }],
    matching: 1,
    not_matching: 0,
  });
  expect(await get('/v1/explain?port=x')).toEqual({
    error_msg: 'expected a port that is connected to, from 1 to 65535, as port, found x',
  });
  expect(await get('/v1/upstream/db')).toMatchObject({
    key: '/apisix/upstreams/db',
    value: { nodes: [{ host: '127.0.0.1', port: 3306, weight: 1, priority: 0 }] },
    createdIndex: 2,
    modifiedIndex: 2,
    has_domain: false,
  });
  expect(await get('/v1/stream_routes')).toMatchObject([{ key: '/apisix/stream_routes/mysql' }]);
  const collected = await fetch(`http://127.0.0.1:${ports.control}/v1/gc`, { method: 'POST' });
  expect([collected.status, await collected.text()]).toEqual([200, '']);
});
