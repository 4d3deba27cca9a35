import type { GatewayFacts } from '../gateway-facts.ts';
import { single } from './metric.ts';
import type { Metric, Sample } from './metric.ts';

/** The revisions of the last writes to each kind, by its segment; undefined is a step towards one. */
export type KindRevisions = Iterable<readonly [kind: string, revision: number] | undefined>;

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
  facts: Pick<GatewayFacts, 'store' | 'revision' | 'previousRevision'>,
  kindRevisions: () => KindRevisions,
): readonly Metric[] {
  const { store } = facts;
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
    ...(provider === 'etcd' ? etcdMetrics(isReachable, facts, kindRevisions()) : []),
  ];
}

function etcdMetrics(
  isReachable: number,
  facts: Pick<GatewayFacts, 'revision' | 'previousRevision'>,
  kindRevisions: KindRevisions,
): readonly Metric[] {
  return [
    single('etcd_reachable', 'gauge', '1 while etcd is being followed, 0 while it is away', isReachable),
    {
      name: 'etcd_modify_indexes',
      type: 'gauge',
      help: 'The revision of the last write to each kind of resource, of all of them, and of etcd',
      samples: modifyIndexes(facts, kindRevisions),
    },
  ];
}

function* modifyIndexes(
  { revision, previousRevision }: Pick<GatewayFacts, 'revision' | 'previousRevision'>,
  kindRevisions: KindRevisions,
): Iterable<Sample | undefined> {
  const revisions = new Map<string, number>();
  for (const found of kindRevisions) {
    if (found === undefined) yield undefined;
    else revisions.set(...found);
  }
  for (const key of indexedKinds) yield { labels: { key }, value: revisions.get(key) ?? 0 };
  yield { labels: { key: 'prev_index' }, value: previousRevision };
  yield { labels: { key: 'max_modify_index' }, value: Math.max(0, ...revisions.values()) };
  yield { labels: { key: 'x_etcd_index' }, value: revision };
}
