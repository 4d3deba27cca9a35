import { setTimeout as delay } from 'node:timers/promises';
import { extraLabels } from '@apisix-ts/config';
import type { Settings } from '@apisix-ts/config';
import type { SessionReason } from '../data-plane/session-reason.ts';
import type { Distribution, EventCounts, ListenerCounts, SharedCounters } from '../shared-counters.ts';
import type { SharedMemoryUse } from '../shared-tally.ts';
import type { SharedWaiting } from '../shared-waiting.ts';
import type { WorkerPool } from '../worker-pool.ts';
import { SessionSeries } from './session-series.ts';
import type { Series } from './session-series.ts';
import type { SessionTally, StatusLabels } from './session-tallies.ts';
import { ActivityMonitor } from './thread-activity.ts';
import type { ThreadActivity } from './thread-activity.ts';

export interface GatewayCounts {
  /** By listener, `0.0.0.0:9100` or `0.0.0.0:53/udp`, closed ones included. */
  readonly listeners: ReadonlyMap<string, ListenerCounts>;
  readonly sessionsEnded: ReadonlyMap<SessionReason, number>;
  /** Sessions that wait for a node now. */
  readonly sessionsWaiting: number;
  /** Ended sessions by the id of their route; empty: they had none. May be read over several turns of the event loop. */
  readonly routes: Iterable<Series<string>>;
  /** Ended sessions by code, listener and node. May be read over several turns of the event loop. */
  readonly statuses: Iterable<Series<StatusLabels>>;
  /** Of these two, series that had to make room for others. */
  readonly seriesEvicted: number;
  readonly events: EventCounts;
  /** How long it took to connect to nodes. Seconds. */
  readonly connects: Distribution;
  /** Nodes that became healthy, and unhealthy. */
  readonly healthChanges: { readonly healthy: number; readonly unhealthy: number };
  /** Workers that died and were replaced. */
  readonly workerRestarts: number;
  /** The memory that all threads share, as far as it can be used up. */
  readonly sharedMemory: readonly SharedMemoryUse[];
  /** By thread, `main` or `worker-0`, as they told when they were last asked. */
  readonly threads: ReadonlyMap<string, ThreadActivity>;
}

export interface GatewayMeterOptions {
  readonly counters: SharedCounters;
  readonly waiting: SharedWaiting;
  readonly pool: WorkerPool;
  /** Of listeners, among the counters. */
  readonly slots: ReadonlyMap<string, number>;
  readonly sharedMemory: () => readonly SharedMemoryUse[];
  readonly settings: Settings;
}

/** Workers that are busy for longer than this are not waited for; what they tell later counts later. Milliseconds. */
const PATIENCE_MS = 250;

/** What a gateway counts: from shared memory, from what workers tell, and in the main thread. */
export class GatewayMeter {
  readonly #options: GatewayMeterOptions;
  readonly #series: SessionSeries;
  readonly #activity = new ActivityMonitor();
  readonly #threads = new Map<string, ThreadActivity>();
  #healthy = 0;
  #unhealthy = 0;

  constructor(options: GatewayMeterOptions) {
    const { metrics } = options.settings.plugin_attr.prometheus;
    this.#options = options;
    this.#series = new SessionSeries({
      routeAgeMs: metrics.stream_connection_total.expire * 1000,
      statusAgeMs: metrics.stream_status.expire * 1000,
      routeExtra: extraLabels(options.settings, 'stream_connection_total').map(({ name }) => name),
      statusExtra: extraLabels(options.settings, 'stream_status').map(({ name }) => name),
      nowMs: Date.now,
    });
  }

  add(tally: SessionTally): void {
    this.#series.add(tally);
  }

  countHealthChange(isHealthy: boolean): void {
    if (isHealthy) this.#healthy += 1;
    else this.#unhealthy += 1;
  }

  async refresh(): Promise<void> {
    await Promise.race([this.#ask(), delay(PATIENCE_MS, undefined, { ref: false })]);
  }

  counts(): GatewayCounts {
    const { counters, waiting, pool, slots, sharedMemory } = this.#options;
    return {
      listeners: new Map(Array.from(slots, ([name, slot]) => [name, counters.listener(slot)])),
      sessionsEnded: counters.sessionsEnded(),
      sessionsWaiting: waiting.size,
      routes: this.#series.routes(),
      statuses: this.#series.statuses(),
      seriesEvicted: this.#series.evicted,
      events: counters.events(),
      connects: counters.connects(),
      healthChanges: { healthy: this.#healthy, unhealthy: this.#unhealthy },
      workerRestarts: pool.restarts,
      sharedMemory: sharedMemory(),
      threads: this.#threads,
    };
  }

  /** Idempotent. */
  close(): void {
    this.#activity.close();
  }

  async #ask(): Promise<void> {
    this.#threads.set('main', this.#activity.read());
    await this.#options.pool.askAll('counts', undefined, (worker, { tally, activity }) => {
      this.add(tally);
      this.#threads.set(`worker-${worker}`, activity);
    });
  }
}
