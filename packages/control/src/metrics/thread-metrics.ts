import type { SessionTotals } from '../gateway-facts.ts';
import { single } from './metric.ts';
import type { Metric } from './metric.ts';

/** How busy each thread is. */
export function threadMetrics({ threads, workerRestarts }: SessionTotals): readonly Metric[] {
  const each = [...threads];
  return [
    single('worker_restarts_total', 'counter', 'Workers that died and were replaced', workerRestarts),
    {
      name: 'event_loop_active_seconds_total',
      type: 'counter',
      help: 'How long a thread worked since its start, not counting its waits',
      samples: each.map(([thread, { activeSeconds }]) => ({ labels: { thread }, value: activeSeconds })),
    },
    {
      name: 'event_loop_delay_seconds',
      type: 'summary',
      help: 'How late timers of a thread were in the last ten seconds or more',
      samples: each.flatMap(([thread, { delays }]) =>
        Array.from(delays, ([quantile, value]) => ({ labels: { thread, quantile }, value })),
      ),
    },
  ];
}
