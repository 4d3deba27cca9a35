import type { GatewayFacts } from '../gateway-facts.ts';
import { single } from './metric.ts';
import type { Metric, Sample } from './metric.ts';

type ConfigFacts = Pick<
  GatewayFacts,
  'workers' | 'revision' | 'appliedAtMs' | 'rejections' | 'faults' | 'certificates' | 'snapshot'
>;

/** What is in effect, and what is wrong with it. */
export function configMetrics(facts: ConfigFacts): readonly Metric[] {
  const { workers, revision, appliedAtMs, rejections, faults, certificates, snapshot } = facts;
  const applied = workers.size === 0 ? 0 : Math.min(...workers.values());
  return [
    single('config_revision', 'gauge', 'The store revision that every worker has in effect', applied),
    single(
      'config_revision_lag',
      'gauge',
      'How many revisions of the store came that some worker does not have in effect yet',
      Math.max(0, revision - applied),
    ),
    ...(appliedAtMs === undefined
      ? []
      : [
          single(
            'config_last_change_timestamp_seconds',
            'gauge',
            'When the last change took effect in every worker, in seconds since 1970',
            appliedAtMs / 1000,
          ),
        ]),
    single('config_rejected_resources', 'gauge', 'Stored resources that cannot be used', rejections.length),
    single(
      'config_faulty_resources',
      'gauge',
      'Resources in effect whose certificates cannot be had, or not in their present version',
      faults.length,
    ),
    {
      name: 'ssl_certificate_expiry_timestamp_seconds',
      type: 'gauge',
      help: 'When the first certificate of an ssl in use ends to be valid',
      samples: byCertificate(certificates),
    },
    single(
      'config_from_snapshot',
      'gauge',
      '1 while what is in effect comes from the snapshot on disk, 0 while it comes from the store',
      snapshot?.isServing === true ? 1 : 0,
    ),
    ...(snapshot?.savedAtMs === undefined
      ? []
      : [
          single(
            'config_snapshot_timestamp_seconds',
            'gauge',
            'When the snapshot on disk was written, in seconds since 1970',
            snapshot.savedAtMs / 1000,
          ),
        ]),
  ];
}

function* byCertificate(certificates: ConfigFacts['certificates']): Iterable<Sample> {
  for (const { resource, validToMs } of certificates) yield { labels: { resource }, value: validToMs / 1000 };
}
