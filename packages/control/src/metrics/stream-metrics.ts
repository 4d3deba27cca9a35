import type { Distribution, SessionTotals } from '../gateway-facts.ts';
import { mergeSamples } from './merge-samples.ts';
import { single } from './metric.ts';
import type { Metric, Sample } from './metric.ts';

/** What became of sessions. @param nameOf a route, by its id; undefined: by the id itself. */
export function streamMetrics(
  totals: SessionTotals,
  nameOf: ((id: string) => string) | undefined,
): readonly Metric[] {
  const { listeners, sessionsEnded, events, connects } = totals;
  return [
    {
      name: 'stream_active_connections',
      type: 'gauge',
      help: 'Open sessions',
      samples: openSessions(listeners),
    },
    {
      name: 'stream_connection_total',
      type: 'counter',
      help: 'Ended sessions by route; empty: without one',
      samples: byRoute(totals, nameOf),
    },
    {
      name: 'stream_status',
      type: 'counter',
      help: 'Ended sessions by code, listener and the node of the last attempt',
      samples: byStatus(totals),
    },
    {
      name: 'stream_sessions_total',
      type: 'counter',
      help: 'Ended sessions by how they ended: OK, or an error code',
      samples: Array.from(sessionsEnded, ([reason, value]) => ({ labels: { reason }, value })),
    },
    {
      name: 'stream_bandwidth',
      type: 'counter',
      help: 'Bytes, those of open sessions included',
      samples: bandwidth(listeners),
    },
    single(
      'stream_waiting_sessions',
      'gauge',
      'Sessions that wait because all nodes of their upstream are full',
      totals.sessionsWaiting,
    ),
    single(
      'stream_retries_total',
      'counter',
      'Attempts to connect to a node after the first',
      events.retries,
    ),
    {
      name: 'stream_tls_handshakes_total',
      type: 'counter',
      help: 'TLS handshakes that were completed',
      samples: [
        { labels: { side: 'downstream' }, value: events.downstreamHandshakes },
        { labels: { side: 'upstream' }, value: events.upstreamHandshakes },
      ],
    },
    {
      name: 'stream_upstream_connect_seconds',
      type: 'histogram',
      help: 'How long it took to connect to a node, TLS handshake included',
      samples: histogram(connects),
    },
  ];
}

function* openSessions(listeners: SessionTotals['listeners']): Iterable<Sample> {
  for (const [listen_addr, { accepted, closed }] of listeners) {
    yield { labels: { listen_addr }, value: accepted - closed };
  }
}

function* byRoute(
  { routes }: SessionTotals,
  nameOf: ((id: string) => string) | undefined,
): Iterable<Sample | undefined> {
  if (nameOf === undefined) {
    for (const { labels: route, extra, value } of routes) yield { labels: { route, ...extra }, value };
    return;
  }
  // Two routes may have one name.
  yield* mergeSamples(namedRoutes(routes, nameOf));
}

function* namedRoutes(routes: SessionTotals['routes'], nameOf: (id: string) => string): Iterable<Sample> {
  for (const { labels: id, extra, value } of routes) {
    yield { labels: { route: nameOf(id), ...extra }, value };
  }
}

function* byStatus({ statuses }: SessionTotals): Iterable<Sample> {
  for (const { labels, extra, value } of statuses) {
    const { code, listener, node } = labels;
    yield { labels: { code, listen_addr: listener, node, ...extra }, value };
  }
}

function* bandwidth(listeners: SessionTotals['listeners']): Iterable<Sample> {
  for (const [listen_addr, counts] of listeners) {
    const { downstreamIngressBytes, downstreamEgressBytes, upstreamIngressBytes, upstreamEgressBytes } =
      counts;
    yield { labels: { listen_addr, type: 'ingress', side: 'downstream' }, value: downstreamIngressBytes };
    yield { labels: { listen_addr, type: 'egress', side: 'downstream' }, value: downstreamEgressBytes };
    yield { labels: { listen_addr, type: 'ingress', side: 'upstream' }, value: upstreamIngressBytes };
    yield { labels: { listen_addr, type: 'egress', side: 'upstream' }, value: upstreamEgressBytes };
  }
}

function* histogram({ buckets, above, sum }: Distribution): Iterable<Sample> {
  let count = 0;
  for (const [le, more] of buckets) {
    count += more;
    yield { suffix: '_bucket', labels: { le }, value: count };
  }
  count += above;
  yield { suffix: '_bucket', labels: { le: '+Inf' }, value: count };
  yield { suffix: '_sum', value: sum };
  yield { suffix: '_count', value: count };
}
