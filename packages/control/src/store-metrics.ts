import { Gauge } from 'prom-client';
import type { MetricsServerOptions } from './metrics-server.ts';

type StoreMetricsOptions = Pick<MetricsServerOptions, 'prefix' | 'status' | 'kindRevisions'>;

/** What the reference has as `key` of `etcd_modify_indexes`. */
const indexedKinds = [
  'routes',
  'services',
  'ssls',
  'consumers',
  'global_rules',
  'upstreams',
  'stream_routes',
  'protos',
];

/** How it stands with the store and with what is kept of it. What a gateway does not have is left out. */
export function storeMetrics({ prefix, status, kindRevisions }: StoreMetricsOptions): readonly Gauge[] {
  // Metrics register themselves in a global registry unless they are given another one.
  const registers: [] = [];
  const isEtcd = (): boolean => status().provider === 'etcd';
  return [
    new Gauge({
      name: `${prefix}store_reachable`,
      help: '1 while the store is being followed, 0 while it is away',
      labelNames: ['provider'],
      registers,
      collect() {
        const { provider, store } = status();
        this.set({ provider }, store.state === 'following' ? 1 : 0);
      },
    }),
    new Gauge({
      name: `${prefix}config_from_snapshot`,
      help: '1 while what is in effect comes from the snapshot on disk, 0 while it comes from the store',
      registers,
      collect() {
        this.set(status().snapshot?.isServing === true ? 1 : 0);
      },
    }),
    new Gauge({
      name: `${prefix}config_snapshot_timestamp_seconds`,
      help: 'When the snapshot on disk was written, in seconds since 1970',
      registers,
      collect() {
        const { savedAtMs } = status().snapshot ?? {};
        if (savedAtMs === undefined) this.remove();
        else this.set(savedAtMs / 1000);
      },
    }),
    new Gauge({
      name: `${prefix}etcd_reachable`,
      help: 'With etcd: 1 while it is being followed, 0 while it is away',
      registers,
      collect() {
        if (isEtcd()) this.set(status().store.state === 'following' ? 1 : 0);
        else this.remove();
      },
    }),
    new Gauge({
      name: `${prefix}etcd_modify_indexes`,
      help: 'With etcd: the revision of the last write to each kind of resource, of all of them, and of etcd',
      labelNames: ['key'],
      registers,
      collect() {
        if (!isEtcd()) return;
        const revisions = kindRevisions();
        for (const key of indexedKinds) this.set({ key }, revisions.get(key) ?? 0);
        this.set({ key: 'max_modify_index' }, Math.max(0, ...revisions.values()));
        this.set({ key: 'x_etcd_index' }, status().revision);
      },
    }),
  ];
}
