import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeer, eventually, openEcho } from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';

/** Labels that operators add to metrics, and those that they do without. */
let gateway: GatewayInstallation;
let echo: TestServer;

beforeAll(async () => {
  gateway = await createGatewayInstallation();
  echo = await openEcho();
  await gateway.configure(`proxy_mode: stream\nstream_proxy:\n  tcp: ['127.0.0.1:${gateway.streamPort}']`);
  const file = join(gateway.home, 'conf', 'config.yaml');
  const labels = '[{ route_name: $route_name }, { sni: $ssl_preread_server_name }]';
  const settings = (await readFile(file, 'utf8')).replace(
    'prometheus: {',
    `prometheus: { metrics: { stream_connection_total: { extra_labels: ${labels} } },`,
  );
  await writeFile(file, `${settings}stream_plugins: [prometheus]\n`);
  await gateway.apisixOk('start');
  await gateway.put('/stream_routes/echo', {
    name: 'to the echo',
    upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } },
  });
});

afterAll(() => Promise.all([gateway.remove(), echo.close()]));

async function linesOf(metric: string): Promise<readonly string[]> {
  const text = await (await fetch(gateway.metricsUrl)).text();
  return text.split('\n').filter((line) => line.startsWith(`apisix_${metric}{`));
}

test('sessions are counted by values of variables, and shown without the labels that nobody wants', async () => {
  const listener = `127.0.0.1:${gateway.streamPort}`;
  const client = await connectPeer(gateway.streamPort);
  await client.send('12345');
  await client.take(5);
  client.end();
  await client.rest();

  await vi.waitFor(async () => {
    expect(await linesOf('stream_connection_total')).toEqual([
      'apisix_stream_connection_total{route="echo",route_name="to the echo",sni=""} 1',
    ]);
  }, eventually);
  expect(await linesOf('stream_status')).toEqual([
    `apisix_stream_status{code="200",listen_addr="${listener}",node="127.0.0.1:${echo.port}"} 1`,
  ]);

  await gateway.put('/plugin_metadata/prometheus', {
    disabled_labels: { stream_status: ['node', 'code'], stream_bandwidth: ['side'] },
  });

  expect(await linesOf('stream_status')).toEqual([
    `apisix_stream_status{code="200",listen_addr="${listener}",node=""} 1`,
  ]);
  expect(await linesOf('stream_bandwidth')).toEqual([
    `apisix_stream_bandwidth{listen_addr="${listener}",type="ingress",side=""} 10`,
    `apisix_stream_bandwidth{listen_addr="${listener}",type="egress",side=""} 10`,
  ]);
});

test('the shared memory shows what of it is free', async () => {
  const values = async (metric: string): Promise<ReadonlyMap<string, number>> =>
    new Map(
      (await linesOf(metric)).map((line) => {
        const [, name = '', value] = /name="(.+)"\} (\d+)$/.exec(line) ?? [];
        return [name, Number(value)];
      }),
    );
  const capacity = await values('shared_dict_capacity_bytes');
  const free = await values('shared_dict_free_space_bytes');

  expect([...capacity.keys()]).toEqual([
    'listener-counters',
    'listener-limits',
    'node-loads',
    'session-counts',
  ]);
  for (const [name, bytes] of capacity) {
    expect(free.get(name), name).toBeGreaterThan(bytes / 2);
    expect(free.get(name), name).toBeLessThan(bytes);
  }
});
