import { createPace } from '@apisix-ts/http-server';
import type { PaceOptions } from '@apisix-ts/http-server';
import type { Metric, Sample } from './metric.ts';

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * A session that shares the thread, or only its core, waits for one slice at most, and finds the core free after it: between
 * two turns of the event loop the system would leave it to this thread for milliseconds. Prometheus gives up after ten
 * seconds, so what takes half of that makes haste.
 */
const PACE: PaceOptions = { sliceMs: 0.2, pauseMs: 1, patienceMs: 5000 };
/** The clock is looked at after so many steps. */
const STEPS_PER_LOOK = 16;

/**
 * Writes metrics in Prometheus' text format, in slices with pauses between them. Sorted by name, as in the reference.
 * @param prefix before every name.
 */
export async function* writeExposition(metrics: readonly Metric[], prefix: string): AsyncIterable<string> {
  const sorted = metrics.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const pace = createPace(PACE);
  let slice = '';
  let steps = 0;
  for (const { name, type, help, samples } of sorted) {
    const fullName = prefix + name;
    slice += `# HELP ${fullName} ${escapeHelp(help)}\n# TYPE ${fullName} ${type}\n`;
    for (const sample of samples) {
      if (sample !== undefined) slice += writeSample(fullName, sample);
      steps += 1;
      const pause = steps % STEPS_PER_LOOK === 0 ? pace() : undefined;
      if (pause === undefined) continue;
      if (slice !== '') yield slice;
      slice = '';
      await pause;
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
