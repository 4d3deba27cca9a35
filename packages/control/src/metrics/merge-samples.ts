import type { Metric, Sample } from './metric.ts';

/** Labels that operators do without, by metric. */
export type DisabledLabels = Readonly<Record<string, readonly string[]>>;

/** They say what a line counts. */
const structural: ReadonlySet<string> = new Set(['code', 'type', 'layer']);

/** Metrics whose labels may be disabled, and how lines that become one are put together. */
const mergeable: ReadonlyMap<string, (left: number, right: number) => number> = new Map([
  ['stream_connection_total', add],
  ['stream_status', add],
  ['stream_bandwidth', add],
  ['stream_active_connections', add],
  // A node of them is unhealthy.
  ['upstream_status', Math.min],
]);

/** Empties labels, and puts lines together that differ in nothing else then. */
export function disableLabels(metric: Metric, disabled: DisabledLabels): Metric {
  const merge = mergeable.get(metric.name);
  const labels = (disabled[metric.name] ?? []).filter((label) => !structural.has(label));
  if (merge === undefined || labels.length === 0) return metric;
  return { ...metric, samples: mergeSamples(withoutLabels(metric.samples, labels), merge) };
}

/** Puts lines together that have the same labels: one must be there once. */
export function* mergeSamples(
  samples: Metric['samples'],
  merge: (left: number, right: number) => number = add,
): Metric['samples'] {
  const merged = new Map<string, Sample>();
  for (const sample of samples) {
    if (sample !== undefined) {
      const key = Object.values(sample.labels ?? {}).join('\n');
      const former = merged.get(key);
      const value = former === undefined ? sample.value : merge(former.value, sample.value);
      merged.set(key, { ...sample, value });
    }
    yield undefined;
  }
  yield* merged.values();
}

function* withoutLabels(samples: Metric['samples'], disabled: readonly string[]): Metric['samples'] {
  for (const sample of samples) {
    const labels = { ...sample?.labels };
    for (const label of disabled) if (label in labels) labels[label] = '';
    yield sample && { ...sample, labels };
  }
}

function add(left: number, right: number): number {
  return left + right;
}
