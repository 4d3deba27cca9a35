import { GatewayError } from '@apisix-ts/errors';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayFacts, SessionTotals, UpstreamHealthFacts } from './gateway-facts.ts';
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

const facts: GatewayFacts = {
  provider: 'embedded',
  phase: 'serving',
  store: { state: 'following', since: 0, revision: 12 },
  revision: 12,
  workers: new Map([
    [0, 12],
    [1, 11],
  ]),
  workerCount: 2,
  listeners: [],
  rejections: [],
  faults: [{ resource: 'ssls/1', reason: 'it has no key', hasPredecessor: false }],
  certificates: [{ resource: 'ssls/2', validToMs: 1_800_000_000_000 }],
  health: [health],
};

async function open(status = (): GatewayFacts => facts): Promise<string> {
  const server = await createMetricsServer({
    host: '127.0.0.1',
    port: 0,
    path: '/apisix/prometheus/metrics',
    prefix: 'apisix_',
    serverToken: 'APISIX',
    version: '1.2.3',
    status,
    kindRevisions: () =>
      new Map([
        ['upstreams', 7],
        ['stream_routes', 9],
        ['secrets', 10],
      ]),
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
    'apisix_config_faulty_resources 1',
    'apisix_ssl_certificate_expiry_timestamp_seconds{resource="ssls/2"} 1800000000',
    'apisix_store_reachable{provider="embedded"} 1',
    'apisix_config_from_snapshot 0',
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

test('with etcd there are its own metrics, and those of the snapshot on disk as it comes and serves', async () => {
  const away = {
    state: 'away',
    since: 0,
    revision: undefined,
    error: new GatewayError('STORE_DENIED', ''),
  } as const;
  const path = '/srv/data/etcd-snapshot.jsonl';
  let now: GatewayFacts = { ...facts, provider: 'etcd', snapshot: { path, isServing: false } };
  const url = await open(() => now);
  const etcd = async (): Promise<readonly string[]> =>
    (await scrape(url)).filter((line) => /snapshot|etcd_reach/.test(line));

  expect((await scrape(url)).filter((line) => line.includes('etcd_modify_indexes'))).toEqual(
    [
      ['routes', 0],
      ['services', 0],
      ['ssls', 0],
      ['consumers', 0],
      ['global_rules', 0],
      ['upstreams', 7],
      ['stream_routes', 9],
      ['protos', 0],
      ['max_modify_index', 10],
      ['x_etcd_index', 12],
    ].map(([key, revision]) => `apisix_etcd_modify_indexes{key="${key}"} ${revision}`),
  );
  expect(await etcd()).toEqual(['apisix_config_from_snapshot 0', 'apisix_etcd_reachable 1']);
  now = { ...now, store: away, snapshot: { path, isServing: true, revision: 12, savedAtMs: 1_500 } };
  expect(await etcd()).toEqual([
    'apisix_config_from_snapshot 1',
    'apisix_config_snapshot_timestamp_seconds 1.5',
    'apisix_etcd_reachable 0',
  ]);
});
