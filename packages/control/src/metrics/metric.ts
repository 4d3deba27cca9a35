/** One line of a metric. */
export interface Sample {
  /** In the order in which they are written; an empty one is written too. */
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Of a histogram's lines: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

/** A metric as it is now. */
export interface Metric {
  /** Without the prefix. */
  readonly name: string;
  /** A `summary` here is one of the last seconds: it has no sum and no count. */
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  /** May be many: they are read over several turns of the event loop. undefined: a step towards the next one. */
  readonly samples: Iterable<Sample | undefined>;
}

/** A metric with one line, without labels. */
export function single(name: string, type: 'counter' | 'gauge', help: string, value: number): Metric {
  return { name, type, help, samples: [{ value }] };
}
