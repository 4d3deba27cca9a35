/**
 * What looking for a regular expression in a server name costs, beside JavaScript's own engine; and in texts that make that
 * one go back, of two lengths, where it is not asked.
 *
 *     node --conditions=@apisix-ts/source bench/expression/pattern.bench.ts [rounds, default 15]
 *
 * Microseconds per text, the median of the rounds, all cases in turns.
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { compilePattern } from '@apisix-ts/expression';

const rounds = Number(process.argv[2] ?? 15);

interface BenchCase {
  readonly name: string;
  readonly text: string;
  readonly times: number;
  readonly test: (text: string) => boolean;
  readonly microseconds: number[];
}

const suffix = String.raw`^([a-z0-9-]+\.)*example\.com$`;
const name = 'orders-1.eu-central.example.com';
const cases: readonly BenchCase[] = [
  benchCase('server name', name, 20_000, automatonOf(suffix)),
  benchCase('server name, RegExp', name, 20_000, engineOf(suffix)),
  benchCase('prefix', name, 20_000, automatonOf('^orders-')),
  benchCase('prefix, RegExp', name, 20_000, engineOf('^orders-')),
  benchCase('(a+)+$', `${'a'.repeat(1000)}b`, 100, automatonOf('^(a+)+$')),
  benchCase('(a+)+$, ten times as long', `${'a'.repeat(10_000)}b`, 10, automatonOf('^(a+)+$')),
];

for (let round = 0; round <= rounds; round += 1) {
  for (const each of cases) {
    const microseconds = measure(each);
    // The first round warms up.
    if (round > 0) each.microseconds.push(microseconds);
  }
}

console.log(`Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}`);
for (const { name: label, text, microseconds } of cases) {
  const median = microseconds.toSorted((a, b) => a - b)[microseconds.length >> 1] ?? NaN;
  console.log(`${label.padEnd(28)} ${`${text.length} characters`.padEnd(18)} ${median.toFixed(2)} µs`);
}

function measure({ text, times, test }: BenchCase): number {
  let found = 0;
  const started = performance.now();
  for (let time = 0; time < times; time += 1) if (test(text)) found += 1;
  const elapsedMs = performance.now() - started;
  if (found !== 0 && found !== times) throw new Error('the same text, and another answer');
  return (elapsedMs * 1000) / times;
}

function automatonOf(source: string): BenchCase['test'] {
  const pattern = compilePattern(source, false);
  return (text) => pattern.test(text);
}

function engineOf(source: string): BenchCase['test'] {
  const engine = new RegExp(source);
  return (text) => engine.test(text);
}

function benchCase(label: string, text: string, times: number, test: BenchCase['test']): BenchCase {
  return { name: label, text, times, test, microseconds: [] };
}
