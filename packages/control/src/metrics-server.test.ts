import { expect, onTestFinished, test } from 'vitest';
import type { SessionTotals, UpstreamHealthFacts } from './gateway-facts.ts';
import { createMetricsServer } from './metrics-server.ts';

const health: UpstreamHealthFacts = {
  name: 'upstreams/u',
  type: 'tcp',
  nodes: [
    {
      ip: '192.0.2.1',
      port: 3306,
      hostname: 'db.test',
      status: 'unhealthy',
      counter: { success: 0, http_failure: 0, tcp_failure: 2, timeout_failure: 0 },
    },
  ],
};

const totals: SessionTotals = {
  listeners: new Map([
    [
      '0.0.0.0:9100',
      {
        accepted: 7,
        closed: 5,
        downstreamIngressBytes: 100,
        downstreamEgressBytes: 200,
        upstreamIngressBytes: 200,
        upstreamEgressBytes: 100,
      },
    ],
  ]),
  sessionsEnded: new Map([
    ['OK', 4],
    ['ROUTE_NOT_FOUND', 1],
  ]),
  sessionsWaiting: 3,
};

async function scrape(url: string): Promise<readonly string[]> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  return (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

async function open(): Promise<string> {
  const server = await createMetricsServer({
    host: '127.0.0.1',
    port: 0,
    path: '/apisix/prometheus/metrics',
    prefix: 'apisix_',
    serverToken: 'APISIX',
    version: '1.2.3',
    status: () => ({
      provider: 'embedded',
      store: { state: 'following', since: 0, revision: 12 },
      revision: 12,
      workers: new Map([
        [0, 12],
        [1, 11],
      ]),
      listeners: [],
      rejections: [],
      health: [health],
    }),
    counts: () => totals,
  });
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}/apisix/prometheus/metrics`;
}

test('a scrape has every metric with its labels', async () => {
  const lines = await scrape(await open());

  expect(lines.filter((line) => !line.startsWith('apisix_node_info'))).toEqual([
    'apisix_config_revision 11',
    'apisix_config_rejected_resources 0',
    'apisix_store_reachable{provider="embedded"} 1',
    'apisix_upstream_status{name="/upstreams/u",ip="192.0.2.1",port="3306"} 0',
    'apisix_stream_active_connections{listen_addr="0.0.0.0:9100"} 2',
    'apisix_stream_waiting_sessions 3',
    'apisix_stream_sessions_total{reason="OK"} 4',
    'apisix_stream_sessions_total{reason="ROUTE_NOT_FOUND"} 1',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="ingress",side="downstream"} 100',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="egress",side="downstream"} 200',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="ingress",side="upstream"} 200',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="egress",side="upstream"} 100',
  ]);
  expect(lines.find((line) => line.startsWith('apisix_node_info'))).toMatch(/version="1.2.3"} 1$/);
});

test('counters keep their value over scrapes', async () => {
  const url = await open();
  await scrape(url);

  expect(await scrape(url)).toContain('apisix_stream_sessions_total{reason="OK"} 4');
});
