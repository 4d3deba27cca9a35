import { GatewayError } from '@apisix-ts/errors';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayFacts, SessionTotals, UpstreamHealthFacts } from './gateway-facts.ts';
import { createMetricsServer } from './metrics-server.ts';
import type { MetricsServerOptions } from './metrics-server.ts';

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
  routes: [
    { labels: 'mysql', value: 3 },
    { labels: 'mysql-too', value: 1 },
    { labels: '', value: 1 },
  ],
  statuses: [
    { labels: { code: '200', listener: '0.0.0.0:9100', node: '192.0.2.1:3306' }, value: 4 },
    { labels: { code: '500', listener: '0.0.0.0:9100', node: '' }, value: 1 },
  ],
  seriesEvicted: 0,
  events: { retries: 2, downstreamHandshakes: 3, upstreamHandshakes: 4 },
  connects: {
    buckets: [
      [0.001, 3],
      [0.01, 1],
    ],
    above: 1,
    sum: 0.5,
  },
  healthChanges: { healthy: 0, unhealthy: 1 },
  workerRestarts: 0,
  sharedMemory: [{ name: 'node-loads', capacityBytes: 4096, freeBytes: 4000 }],
  threads: new Map([['worker-0', { activeSeconds: 1.5, delays: new Map([[0.99, 0.002]]) }]]),
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
  previousRevision: 8,
  appliedAtMs: 1_800_000_000_500,
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

async function open(more: Partial<MetricsServerOptions> = {}): Promise<string> {
  const server = await createMetricsServer({
    host: '127.0.0.1',
    port: 0,
    path: '/apisix/prometheus/metrics',
    prefix: 'apisix_',
    serverToken: 'APISIX',
    version: '1.2.3',
    provider: 'embedded',
    status: () => facts,
    checkedNodes: () => health.nodes.map((node) => [health.name, node] as const),
    http: () => ({ accepted: 5, active: 3, requests: 9, answering: 1 }),
    kindRevisions: () => [['upstreams', 7], undefined, ['stream_routes', 9], ['secrets', 10]],
    counts: () => Promise.resolve(totals),
    ...more,
  });
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}/apisix/prometheus/metrics`;
}

/** What differs from run to run. */
const isOfProcess = (line: string): boolean => /^apisix_(?:process|node_info)/.test(line);

test('a scrape has every metric with its labels, sorted by name', async () => {
  const lines = await scrape(await open());

  expect(lines.filter((line) => !isOfProcess(line))).toEqual([
    'apisix_config_faulty_resources 1',
    'apisix_config_from_snapshot 0',
    'apisix_config_last_change_timestamp_seconds 1800000000.5',
    'apisix_config_rejected_resources 0',
    'apisix_config_revision 11',
    'apisix_config_revision_lag 1',
    'apisix_event_loop_active_seconds_total{thread="worker-0"} 1.5',
    'apisix_event_loop_delay_seconds{thread="worker-0",quantile="0.99"} 0.002',
    'apisix_http_requests_total 9',
    'apisix_nginx_http_current_connections{state="active"} 3',
    'apisix_nginx_http_current_connections{state="accepted"} 5',
    'apisix_nginx_http_current_connections{state="handled"} 5',
    'apisix_nginx_http_current_connections{state="writing"} 1',
    'apisix_nginx_http_current_connections{state="waiting"} 2',
    'apisix_nginx_metric_errors_total 0',
    'apisix_shared_dict_capacity_bytes{name="node-loads"} 4096',
    'apisix_shared_dict_free_space_bytes{name="node-loads"} 4000',
    'apisix_ssl_certificate_expiry_timestamp_seconds{resource="ssls/2"} 1800000000',
    'apisix_store_reachable{provider="embedded"} 1',
    'apisix_store_state{state="connecting"} 0',
    'apisix_store_state{state="following"} 1',
    'apisix_store_state{state="away"} 0',
    'apisix_store_state_timestamp_seconds 0',
    'apisix_stream_active_connections{listen_addr="0.0.0.0:9100"} 2',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="ingress",side="downstream"} 100',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="egress",side="downstream"} 200',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="ingress",side="upstream"} 200',
    'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="egress",side="upstream"} 100',
    'apisix_stream_connection_total{route="mysql"} 3',
    'apisix_stream_connection_total{route="mysql-too"} 1',
    'apisix_stream_connection_total{route=""} 1',
    'apisix_stream_retries_total 2',
    'apisix_stream_sessions_total{reason="OK"} 4',
    'apisix_stream_sessions_total{reason="ROUTE_NOT_FOUND"} 1',
    'apisix_stream_status{code="200",listen_addr="0.0.0.0:9100",node="192.0.2.1:3306"} 4',
    'apisix_stream_status{code="500",listen_addr="0.0.0.0:9100",node=""} 1',
    'apisix_stream_tls_handshakes_total{side="downstream"} 3',
    'apisix_stream_tls_handshakes_total{side="upstream"} 4',
    'apisix_stream_upstream_connect_seconds_bucket{le="0.001"} 3',
    'apisix_stream_upstream_connect_seconds_bucket{le="0.01"} 4',
    'apisix_stream_upstream_connect_seconds_bucket{le="+Inf"} 5',
    'apisix_stream_upstream_connect_seconds_sum 0.5',
    'apisix_stream_upstream_connect_seconds_count 5',
    'apisix_stream_waiting_sessions 3',
    'apisix_upstream_health_changes_total{to="healthy"} 0',
    'apisix_upstream_health_changes_total{to="unhealthy"} 1',
    'apisix_upstream_status{name="/upstreams/u",ip="192.0.2.1",port="3306"} 0',
    'apisix_worker_restarts_total 0',
  ]);
});

test('a scrape tells of the process', async () => {
  const ofProcess = (await scrape(await open())).filter(isOfProcess);

  expect(ofProcess.map((line) => line.replace(/(?:hostname="[^"]*"|[\d.e+]+$)/, '…'))).toEqual([
    'apisix_node_info{…,version="1.2.3"} 1',
    'apisix_process_cpu_seconds_total{mode="user"} …',
    'apisix_process_cpu_seconds_total{mode="system"} …',
    'apisix_process_max_fds …',
    'apisix_process_open_fds …',
    'apisix_process_resident_memory_bytes …',
    'apisix_process_start_time_seconds …',
  ]);
});

test('routes that share a name are one series', async () => {
  const nameOfRoute = (id: string): string => (id.startsWith('mysql') ? 'database' : id);
  const lines = await scrape(await open({ nameOfRoute }));

  expect(lines.filter((line) => line.includes('stream_connection_total'))).toEqual([
    'apisix_stream_connection_total{route="database"} 4',
    'apisix_stream_connection_total{route=""} 1',
  ]);
});

test('labels that the operator asked for come last, and those that are not wanted are empty', async () => {
  const counted: SessionTotals = {
    ...totals,
    routes: [
      { labels: 'a', extra: { sni: 'x.test' }, value: 1 },
      { labels: 'b', extra: { sni: 'x.test' }, value: 2 },
    ],
    statuses: [
      { labels: { code: '200', listener: 'l', node: 'n' }, extra: { sni: 'x.test' }, value: 3 },
      { labels: { code: '200', listener: 'l', node: 'm' }, extra: { sni: 'x.test' }, value: 4 },
    ],
  };
  const lines = await scrape(
    await open({
      counts: () => Promise.resolve(counted),
      nameOfRoute: () => 'shared',
      disabledLabels: () => ({ stream_status: ['node', 'code'] }),
    }),
  );

  expect(lines.filter((line) => /apisix_stream_(?:connection_total|status)/.test(line))).toEqual([
    'apisix_stream_connection_total{route="shared",sni="x.test"} 3',
    'apisix_stream_status{code="200",listen_addr="l",node="",sni="x.test"} 7',
  ]);
});

test('with etcd there are its own metrics, and those of the snapshot on disk as it comes and serves', async () => {
  const away = {
    state: 'away',
    since: 0,
    revision: undefined,
    error: new GatewayError('STORE_DENIED', ''),
  } as const;
  const path = '/srv/data/etcd-snapshot.jsonl';
  let now: GatewayFacts = { ...facts, snapshot: { path, isServing: false } };
  const url = await open({ provider: 'etcd', status: () => now });
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
      ['prev_index', 8],
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
