import { hostname } from 'node:os';
import type { HttpLimits } from '@apisix-ts/http-server';
import { Counter, Gauge, Registry } from 'prom-client';
import type { GatewayFacts, SessionTotals } from './gateway-facts.ts';
import { openHttpService } from './http-service.ts';
import type { HttpService } from './http-service.ts';
import { storeMetrics } from './store-metrics.ts';

export interface MetricsServerOptions extends HttpLimits {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** `plugin_attr.prometheus.export_uri`. */
  readonly path: string;
  /** `plugin_attr.prometheus.metric_prefix`, before every name. */
  readonly prefix: string;
  /** The `Server` header. */
  readonly serverToken: string;
  /** Of the gateway. */
  readonly version: string;
  readonly status: () => GatewayFacts;
  /** The revision of the last write to each kind of resource, by its segment: `upstreams`. */
  readonly kindRevisions: () => ReadonlyMap<string, number>;
  readonly counts: () => SessionTotals;
}

/** Serves the metrics in Prometheus' text format, computed when they are asked for. Rejects with `LISTENER_*`. */
export function createMetricsServer(options: MetricsServerOptions): Promise<HttpService> {
  const registry = createRegistry(options);
  return openHttpService({ name: 'the metrics server (plugin_attr.prometheus)', ...options }, (app) => {
    app.get(options.path, async (_request, reply) => {
      reply.type(registry.contentType);
      return registry.metrics();
    });
  });
}

function createRegistry(options: MetricsServerOptions): Registry {
  const { prefix, version, status, counts } = options;
  const registry = new Registry();
  // Metrics register themselves in a global registry unless they are given another one.
  const registers: Registry[] = [];
  const metrics: readonly (Gauge | Counter)[] = [
    new Gauge({
      name: `${prefix}node_info`,
      help: 'The gateway: always 1',
      labelNames: ['hostname', 'version'],
      registers,
      collect() {
        this.set({ hostname: hostname(), version }, 1);
      },
    }),
    new Gauge({
      name: `${prefix}config_revision`,
      help: 'The store revision that every worker has in effect',
      registers,
      collect() {
        const { workers } = status();
        this.set(workers.size === 0 ? 0 : Math.min(...workers.values()));
      },
    }),
    new Gauge({
      name: `${prefix}config_rejected_resources`,
      help: 'Stored resources that cannot be used',
      registers,
      collect() {
        this.set(status().rejections.length);
      },
    }),
    new Gauge({
      name: `${prefix}config_faulty_resources`,
      help: 'Resources in effect whose certificates cannot be had, or not in their present version',
      registers,
      collect() {
        this.set(status().faults.length);
      },
    }),
    new Gauge({
      name: `${prefix}ssl_certificate_expiry_timestamp_seconds`,
      help: 'When the first certificate of an ssl in use ends to be valid',
      labelNames: ['resource'],
      registers,
      collect() {
        this.reset();
        for (const { resource, validToMs } of status().certificates) this.set({ resource }, validToMs / 1000);
      },
    }),
    ...storeMetrics(options),
    new Gauge({
      name: `${prefix}upstream_status`,
      help: 'Nodes under health checks: 1 while healthy, 0 while not',
      labelNames: ['name', 'ip', 'port'],
      registers,
      collect() {
        this.reset();
        for (const { name, nodes } of status().health) {
          for (const { ip, port, status: state } of nodes) {
            this.set(
              { name: `/${name}`, ip, port },
              state === 'healthy' || state === 'mostly_healthy' ? 1 : 0,
            );
          }
        }
      },
    }),
    new Gauge({
      name: `${prefix}stream_active_connections`,
      help: 'Open sessions',
      labelNames: ['listen_addr'],
      registers,
      collect() {
        for (const [listener, { accepted, closed }] of counts().listeners) {
          this.set({ listen_addr: listener }, accepted - closed);
        }
      },
    }),
    new Gauge({
      name: `${prefix}stream_waiting_sessions`,
      help: 'Sessions that wait because all nodes of their upstream are full',
      registers,
      collect() {
        this.set(counts().sessionsWaiting);
      },
    }),
    new Counter({
      name: `${prefix}stream_sessions_total`,
      help: 'Ended sessions by how they ended: OK, or an error code of docs/errors.md',
      labelNames: ['reason'],
      registers,
      collect() {
        // A counter of this library only grows; these are totals already.
        this.reset();
        for (const [reason, total] of counts().sessionsEnded) this.inc({ reason }, total);
      },
    }),
    new Counter({
      name: `${prefix}stream_bandwidth`,
      help: 'Bytes of ended sessions',
      labelNames: ['listen_addr', 'type', 'side'],
      registers,
      collect() {
        this.reset();
        for (const [listen_addr, totals] of counts().listeners) {
          const { downstreamIngressBytes, downstreamEgressBytes, upstreamIngressBytes, upstreamEgressBytes } =
            totals;
          this.inc({ listen_addr, type: 'ingress', side: 'downstream' }, downstreamIngressBytes);
          this.inc({ listen_addr, type: 'egress', side: 'downstream' }, downstreamEgressBytes);
          this.inc({ listen_addr, type: 'ingress', side: 'upstream' }, upstreamIngressBytes);
          this.inc({ listen_addr, type: 'egress', side: 'upstream' }, upstreamEgressBytes);
        }
      },
    }),
  ];
  for (const metric of metrics) registry.registerMetric(metric);
  return registry;
}
