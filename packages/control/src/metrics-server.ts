import { Readable } from 'node:stream';
import type { HttpSocketOptions } from '@apisix-ts/http-server';
import type { GatewayFacts, HttpFacts, SessionTotals } from './gateway-facts.ts';
import { openHttpService } from './http-service.ts';
import type { HttpService } from './http-service.ts';
import { configMetrics } from './metrics/config-metrics.ts';
import { expositionType, writeExposition } from './metrics/exposition.ts';
import { healthMetrics } from './metrics/health-metrics.ts';
import type { CheckedNodeFacts } from './metrics/health-metrics.ts';
import { httpMetrics } from './metrics/http-metrics.ts';
import { memoryMetrics } from './metrics/memory-metrics.ts';
import { disableLabels } from './metrics/merge-samples.ts';
import type { DisabledLabels } from './metrics/merge-samples.ts';
import { single } from './metrics/metric.ts';
import type { Metric } from './metrics/metric.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { storeMetrics } from './metrics/store-metrics.ts';
import type { KindRevisions } from './metrics/store-metrics.ts';
import { streamMetrics } from './metrics/stream-metrics.ts';
import { threadMetrics } from './metrics/thread-metrics.ts';

export interface MetricsServerOptions extends HttpSocketOptions {
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
  /** The store's name: `embedded`. */
  readonly provider: string;
  readonly status: () => Omit<GatewayFacts, 'provider' | 'health'>;
  /** The nodes under checks, read over several turns of the event loop. */
  readonly checkedNodes: () => Iterable<CheckedNodeFacts>;
  readonly http: () => HttpFacts;
  /** The revision of the last write to each kind of resource, read over several turns of the event loop. */
  readonly kindRevisions: () => KindRevisions;
  /** As it is now. */
  readonly counts: () => Promise<SessionTotals>;
  /** Labels that are left empty, by metric; asked for each time. Default: none. */
  readonly disabledLabels?: () => DisabledLabels;
  /** What a route is called in labels, by its id. Default: by its id. */
  readonly nameOfRoute?: (id: string) => string;
}

/** Serves the metrics in Prometheus' text format, computed when they are asked for. Rejects with `LISTENER_*`. */
export function createMetricsServer(options: MetricsServerOptions): Promise<HttpService> {
  return openHttpService({ name: 'the metrics server (plugin_attr.prometheus)', ...options }, (app) => {
    app.get(options.path, async (_request, reply) => {
      const disabled = options.disabledLabels?.() ?? {};
      const metrics = (await collect(options)).map((metric) => disableLabels(metric, disabled));
      reply.type(expositionType);
      return Readable.from(writeExposition(metrics, options.prefix), { objectMode: false });
    });
  });
}

async function collect(options: MetricsServerOptions): Promise<readonly Metric[]> {
  const { version, provider, status, checkedNodes, http, kindRevisions, counts, nameOfRoute } = options;
  const ofProcess = await processMetrics(version);
  const totals = await counts();
  const facts = status();
  return [
    ...ofProcess,
    ...configMetrics(facts),
    ...storeMetrics(provider, facts, kindRevisions),
    ...httpMetrics(http()),
    ...healthMetrics(checkedNodes(), totals),
    ...streamMetrics(totals, nameOfRoute),
    ...threadMetrics(totals),
    ...memoryMetrics(totals.sharedMemory),
    single(
      'nginx_metric_errors_total',
      'counter',
      'Series that were given up because a metric had too many',
      totals.seriesEvicted,
    ),
  ];
}
