import type { NodeHealthFacts, SessionTotals } from '../gateway-facts.ts';
import type { Metric, Sample } from './metric.ts';

/** A node under checks, and its upstream's place. */
export type CheckedNodeFacts = readonly [
  upstream: string,
  node: Pick<NodeHealthFacts, 'ip' | 'port' | 'status'>,
];

/** The nodes under checks. */
export function healthMetrics(
  nodes: Iterable<CheckedNodeFacts>,
  { healthChanges }: Pick<SessionTotals, 'healthChanges'>,
): readonly Metric[] {
  return [
    {
      name: 'upstream_status',
      type: 'gauge',
      help: 'Nodes under health checks: 1 while healthy, 0 while not',
      samples: byNode(nodes),
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

function* byNode(nodes: Iterable<CheckedNodeFacts>): Iterable<Sample> {
  for (const [upstream, { ip, port, status }] of nodes) {
    const isHealthy = status === 'healthy' || status === 'mostly_healthy';
    yield { labels: { name: `/${upstream}`, ip, port }, value: isHealthy ? 1 : 0 };
  }
}
