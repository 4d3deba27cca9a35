import type { SessionTotals, UpstreamHealthFacts } from '../gateway-facts.ts';
import type { Metric, Sample } from './metric.ts';

/** The nodes under checks. */
export function healthMetrics(
  upstreams: Iterable<UpstreamHealthFacts>,
  { healthChanges }: Pick<SessionTotals, 'healthChanges'>,
): readonly Metric[] {
  return [
    {
      name: 'upstream_status',
      type: 'gauge',
      help: 'Nodes under health checks: 1 while healthy, 0 while not',
      samples: byNode(upstreams),
    },
    {
      name: 'upstream_health_changes_total',
      type: 'counter',
      help: 'Nodes that became healthy or unhealthy',
      samples: [
        { labels: { to: 'healthy' }, value: healthChanges.healthy },
        { labels: { to: 'unhealthy' }, value: healthChanges.unhealthy },
      ],
    },
  ];
}

function* byNode(upstreams: Iterable<UpstreamHealthFacts>): Iterable<Sample> {
  for (const { name, nodes } of upstreams) {
    for (const { ip, port, status } of nodes) {
      const isHealthy = status === 'healthy' || status === 'mostly_healthy';
      yield { labels: { name: `/${name}`, ip, port }, value: isHealthy ? 1 : 0 };
    }
  }
}
