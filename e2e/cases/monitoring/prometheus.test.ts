import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectPeer, eventually, freePort, openEcho } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { runCommand, runOrFail } from '../../testbed/process.ts';
import { startPrometheus } from '../../testbed/prometheus.ts';
import type { FoundSeries, PrometheusServer } from '../../testbed/prometheus.ts';

/** A real Prometheus with what deploy/ has for it, on a gateway that had sessions of several kinds. */
const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy');
const rules = join(deploy, 'prometheus', 'alerts.yaml');

let leaks: LeakCheck;
let gateway: GatewayInstallation;
let prometheus: PrometheusServer;
let echo: TestServer;
let open: Peer;

beforeAll(async () => {
  leaks = openLeakCheck();
  gateway = await createGatewayInstallation();
  echo = await openEcho();
  await gateway.configure(`proxy_mode: stream\nstream_proxy:\n  tcp: ['127.0.0.1:${gateway.streamPort}']`);
  await gateway.apisixOk('start');
  await gateway.put('/upstreams/echo', {
    nodes: [
      { host: '127.0.0.1', port: await freePort(), weight: 1, priority: 1 },
      { host: '127.0.0.1', port: echo.port, weight: 1, priority: 0 },
    ],
  });
  await gateway.put('/stream_routes/echo', { upstream_id: 'echo' });
  const client = await connectPeer(gateway.streamPort);
  await client.send('12345');
  await client.take(5);
  client.end();
  await client.rest();
  open = await connectPeer(gateway.streamPort);
  await open.send('678');
  await open.take(3);
  prometheus = await startPrometheus(gateway.metricsUrl, rules);
});

afterAll(async () => {
  open.destroy();
  await Promise.all([prometheus.close(), gateway.remove(), echo.close()]);
  expect(await leaks.leftovers()).toEqual([]);
});

/** What Prometheus has, once it has something. */
async function found(query: string): Promise<readonly FoundSeries[]> {
  return vi.waitFor(async () => {
    const series = await prometheus.query(query);
    expect(series, query).not.toEqual([]);
    return series;
  }, eventually);
}

test('sessions are there by route, code and node, and the bytes of open ones', async () => {
  const listen_addr = `127.0.0.1:${gateway.streamPort}`;

  expect(await found('apisix_stream_connection_total')).toMatchObject([
    { metric: { route: 'echo' }, value: 1 },
  ]);
  expect(await found('apisix_stream_status')).toMatchObject([
    { metric: { code: '200', listen_addr, node: `127.0.0.1:${echo.port}` }, value: 1 },
  ]);
  expect(await found('apisix_stream_active_connections')).toMatchObject([
    { metric: { listen_addr }, value: 1 },
  ]);
  expect(await found('apisix_stream_bandwidth{type="ingress",side="downstream"} == 8')).toMatchObject([
    { metric: { listen_addr } },
  ]);
  expect(await found('apisix_stream_retries_total')).toMatchObject([{ value: 2 }]);
  expect(await found('histogram_quantile(1, apisix_stream_upstream_connect_seconds_bucket)')).toHaveLength(1);
});

test('the alerts are loaded, and none is evaluated with an error', async () => {
  const names = Array.from((await readFile(rules, 'utf8')).matchAll(/- alert: (\w+)/g), ([, name]) => name);

  expect(names.length).toBeGreaterThan(10);
  await vi.waitFor(async () => {
    expect([...(await prometheus.alerts())]).toEqual(names.map((name) => [name, 'ok']));
  }, eventually);
});

test('every metric that a panel or a rule asks for is there', async () => {
  const scrape = await (await fetch(gateway.metricsUrl)).text();
  const served = new Set(
    Array.from(scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)).flatMap(([, name = '', type]) =>
      type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  const texts = await Promise.all(
    [join(deploy, 'grafana', 'apisix-stream.json'), rules].map((file) => readFile(file, 'utf8')),
  );
  const asked = texts.map((text) => new Set(text.match(/apisix_[a-z_]+/g)));

  expect(asked.map(({ size }) => size > 10)).toEqual([true, true]);
  expect(asked.flatMap((names) => [...names].filter((name) => !served.has(name)))).toEqual([]);
});

test('promtool finds nothing wrong but names that are those of APISIX', async () => {
  // It comes last, a tenth of a second after the first scrape.
  await found('apisix_event_loop_delay_seconds{thread="worker-0"}');
  const scrape = await (await fetch(gateway.metricsUrl)).text();
  const { stderr } = await runCommand('promtool', ['check', 'metrics'], { input: scrape });

  expect(stderr.trim().split('\n').toSorted()).toEqual([
    'apisix_http_requests_total non-counter metrics should not have "_total" suffix',
    'apisix_stream_bandwidth counter metrics should have "_total" suffix',
    'apisix_stream_status counter metrics should have "_total" suffix',
  ]);
});

test('the rules and the example are valid, and alerts fire when they should', async () => {
  const cwd = join(deploy, 'prometheus');

  expect(await runOrFail('promtool', ['check', 'config', 'prometheus.yml'], { cwd })).toContain('SUCCESS');
  expect(await runOrFail('promtool', ['check', 'rules', 'alerts.yaml'], { cwd })).toContain('SUCCESS');
  expect(await runOrFail('promtool', ['test', 'rules', 'alerts.test.yaml'], { cwd })).toContain('SUCCESS');
});
