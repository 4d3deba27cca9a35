import type { Problem } from '../source/problem.ts';
import type { Settings } from './settings.ts';

/** The labels that metrics of ended sessions have anyway. They are those that take others. */
const ownLabels = {
  stream_connection_total: ['route'],
  stream_status: ['code', 'listen_addr', 'node'],
} as const;

export type LabelledMetric = keyof typeof ownLabels;

export function isLabelled(metric: string): metric is LabelledMetric {
  return Object.hasOwn(ownLabels, metric);
}

/** A label that the operator adds to a metric. */
export interface ExtraLabel {
  readonly name: string;
  /** Whose value it has, without the `$`. */
  readonly variable: string;
}

/** What `plugin_attr.prometheus.metrics.<metric>.extra_labels` asks for, in its order. */
export function extraLabels({ plugin_attr }: Settings, metric: LabelledMetric): readonly ExtraLabel[] {
  const pairs = plugin_attr.prometheus.metrics[metric].extra_labels ?? [];
  return pairs.flatMap((pair) =>
    Object.entries(pair).map(([name, value]) => ({ name, variable: value.slice(1) })),
  );
}

export function checkExtraLabels(settings: Settings): readonly Problem[] {
  return Object.keys(ownLabels)
    .filter(isLabelled)
    .flatMap((metric) => checkMetric(settings, metric));
}

function checkMetric({ plugin_attr }: Settings, metric: LabelledMetric): readonly Problem[] {
  const taken = new Set<string>(ownLabels[metric]);
  const problems: Problem[] = [];
  for (const [index, pair] of (plugin_attr.prometheus.metrics[metric].extra_labels ?? []).entries()) {
    const path = ['plugin_attr', 'prometheus', 'metrics', metric, 'extra_labels', index];
    const problem = { code: 'SETTINGS_INVALID', text: `invalid extra label of ${metric}` } as const;
    const [entry, ...others] = Object.entries(pair);
    if (entry === undefined || others.length > 0) {
      problems.push({ ...problem, path, expected: 'one pair, a label and a variable' });
      continue;
    }
    const expected = faultOf(entry, taken);
    if (expected !== undefined) problems.push({ ...problem, path: [...path, entry[0]], expected });
    taken.add(entry[0]);
  }
  return problems;
}

/** @returns what would have been right. */
function faultOf([name, value]: readonly [string, unknown], taken: ReadonlySet<string>): string | undefined {
  // Names that begin with two underscores are Prometheus' own.
  if (!/^(?!__)[A-Za-z_]\w*$/.test(name))
    return 'a label of letters, digits and _ that does not begin with a digit or __';
  if (taken.has(name)) return 'a label that the metric does not have yet';
  if (typeof value !== 'string' || !/^\$\w+$/.test(value)) return 'a variable such as $route_name';
  return undefined;
}
