import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Metric, Sample } from './metric.ts';

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** The thread may serve sessions too: they have a turn after this long. Milliseconds. */
const SLICE_MS = 0.2;
/** The clock is looked at after so many lines. */
const LINES_PER_LOOK = 16;

/**
 * Writes metrics in Prometheus' text format, in slices between which others have their turns. Sorted by name, as in the reference.
 * @param prefix before every name.
 */
export async function* writeExposition(metrics: readonly Metric[], prefix: string): AsyncIterable<string> {
  const sorted = metrics.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  let slice = '';
  let lines = 0;
  let startedMs = performance.now();
  for (const { name, type, help, samples } of sorted) {
    const fullName = prefix + name;
    slice += `# HELP ${fullName} ${escapeHelp(help)}\n# TYPE ${fullName} ${type}\n`;
    for (const sample of samples) {
      slice += writeSample(fullName, sample);
      lines += 1;
      if (lines % LINES_PER_LOOK !== 0 || performance.now() - startedMs < SLICE_MS) continue;
      yield slice;
      slice = '';
      await nextTurn();
      startedMs = performance.now();
    }
  }
  yield slice;
}

function writeSample(name: string, { labels = {}, value, suffix }: Sample): string {
  let text = '';
  for (const label in labels) {
    text += `${text === '' ? '{' : ','}${label}="${escapeLabel(String(labels[label]))}"`;
  }
  return `${name}${suffix ?? ''}${text === '' ? '' : `${text}}`} ${formatValue(value)}\n`;
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  // Most have nothing to escape.
  return /[\\"\n]/.test(text)
    ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : text;
}
