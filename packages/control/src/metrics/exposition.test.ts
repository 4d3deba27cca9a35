import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { writeExposition } from './exposition.ts';
import type { Metric, Sample } from './metric.ts';

async function write(...metrics: readonly Metric[]): Promise<string> {
  let text = '';
  for await (const slice of writeExposition(metrics, 'p_')) text += slice;
  return text;
}

function gauge(name: string, ...samples: readonly Sample[]): Metric {
  return { name, type: 'gauge', help: 'What it is', samples };
}

test('metrics are sorted by name, and each has its help and type once', async () => {
  expect(await write(gauge('b', { value: 1 }, { labels: { a: 1 }, value: 2.5 }), gauge('a'))).toBe(
    [
      '# HELP p_a What it is',
      '# TYPE p_a gauge',
      '# HELP p_b What it is',
      '# TYPE p_b gauge',
      'p_b 1',
      'p_b{a="1"} 2.5',
      '',
    ].join('\n'),
  );
});

test.for([
  [
    { labels: { a: 'back\\slash "quoted"\nnext' }, value: 0 },
    String.raw`p_m{a="back\\slash \"quoted\"\nnext"} 0`,
  ],
  [{ labels: { a: '', b: 'é' }, value: -1 }, 'p_m{a="",b="é"} -1'],
  [{ value: Number.NaN }, 'p_m NaN'],
  [{ value: Number.POSITIVE_INFINITY }, 'p_m +Inf'],
  [{ value: Number.NEGATIVE_INFINITY }, 'p_m -Inf'],
  [{ value: 1e21 }, 'p_m 1e+21'],
  [{ suffix: '_bucket', labels: { le: 0.5 }, value: 3 }, 'p_m_bucket{le="0.5"} 3'],
] as const)('a sample is written as the format wants it: %j', async ([sample, line]) => {
  expect((await write(gauge('m', sample))).split('\n')[2]).toBe(line);
});

test('a step without a sample leaves no line', async () => {
  const metric: Metric = { ...gauge('m'), samples: [undefined, { value: 1 }, undefined] };

  expect((await write(metric)).split('\n').slice(2)).toEqual(['p_m 1', '']);
});

test('help has no line breaks', async () => {
  const [help] = (await write({ ...gauge('m'), help: 'one\\\ntwo' })).split('\n');

  expect(help).toBe(String.raw`# HELP p_m one\\\ntwo`);
});

test('others have their turns while many lines are written', async () => {
  const samples = Array.from({ length: 20_000 }, (_, value) => ({
    labels: { node: `10.0.0.1:${value}` },
    value,
  }));
  let turns = 0;
  let isOver = false;
  const takeTurns = (): void => {
    turns += 1;
    if (!isOver) setImmediate(takeTurns);
  };
  const startedMs = performance.now();
  setImmediate(takeTurns);
  const text = await write(gauge('m', ...samples));
  isOver = true;

  expect(text.split('\n')).toHaveLength(20_003);
  expect(text.endsWith('p_m{node="10.0.0.1:19999"} 19999\n')).toBe(true);
  // A turn every half millisecond, with room for a machine that is busy.
  expect(turns).toBeGreaterThan(Math.min(10, performance.now() - startedMs));
});
