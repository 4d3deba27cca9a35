import type { GatewayFacts } from '../gateway-facts.ts';
import { single } from './metric.ts';
import type { Metric } from './metric.ts';

/** What the reference has as `key` of `etcd_modify_indexes`, and the kinds behind it. */
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

const states: readonly GatewayFacts['store']['state'][] = ['connecting', 'following', 'away'];

/** How it stands with the store. What a gateway does not have is left out. */
export function storeMetrics(
  provider: string,
  { store, revision }: Pick<GatewayFacts, 'store' | 'revision'>,
  kindRevisions: () => ReadonlyMap<string, number>,
): readonly Metric[] {
  const isReachable = store.state === 'following' ? 1 : 0;
  return [
    {
      name: 'store_reachable',
      type: 'gauge',
      help: '1 while the store is being followed, 0 while it is away',
      samples: [{ labels: { provider }, value: isReachable }],
    },
    {
      name: 'store_state',
      type: 'gauge',
      help: '1 for the state in which the store is, 0 for the others',
      samples: states.map((state) => ({ labels: { state }, value: state === store.state ? 1 : 0 })),
    },
    single(
      'store_state_timestamp_seconds',
      'gauge',
      'When that state began, in seconds since 1970',
      store.since / 1000,
    ),
    ...(provider === 'etcd' ? etcdMetrics(isReachable, revision, kindRevisions()) : []),
  ];
}

function etcdMetrics(
  isReachable: number,
  revision: number,
  revisions: ReadonlyMap<string, number>,
): readonly Metric[] {
  return [
    single('etcd_reachable', 'gauge', '1 while etcd is being followed, 0 while it is away', isReachable),
    {
      name: 'etcd_modify_indexes',
      type: 'gauge',
      help: 'The revision of the last write to each kind of resource, of all of them, and of etcd',
      samples: [
        ...indexedKinds.map((key) => ({ labels: { key }, value: revisions.get(key) ?? 0 })),
        { labels: { key: 'max_modify_index' }, value: Math.max(0, ...revisions.values()) },
        { labels: { key: 'x_etcd_index' }, value: revision },
      ],
    },
  ];
}
