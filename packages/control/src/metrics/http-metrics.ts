import type { HttpFacts } from '../gateway-facts.ts';
import { single } from './metric.ts';
import type { Metric } from './metric.ts';

/** The HTTP listeners, with the reference's names. */
export function httpMetrics({ accepted, active, requests, answering }: HttpFacts): readonly Metric[] {
  return [
    {
      name: 'nginx_http_current_connections',
      type: 'gauge',
      help: 'Connections to the HTTP listeners: open, accepted so far, with an answer under way, and without',
      samples: [
        { labels: { state: 'active' }, value: active },
        { labels: { state: 'accepted' }, value: accepted },
        { labels: { state: 'handled' }, value: accepted },
        { labels: { state: 'writing' }, value: answering },
        { labels: { state: 'waiting' }, value: Math.max(0, active - answering) },
      ],
    },
    single('http_requests_total', 'gauge', 'Requests to the HTTP listeners', requests),
  ];
}
