import { expect, test } from 'vitest';
import { disableLabels } from './merge-samples.ts';
import type { Metric, Sample } from './metric.ts';

function metric(name: string, samples: Metric['samples']): Metric {
  return { name, type: 'counter', help: '', samples };
}

const linesOf = ({ samples }: Metric): readonly Sample[] =>
  Array.from(samples).filter((sample) => sample !== undefined);

const statuses = [
  { labels: { code: '200', listen_addr: 'a', node: 'x' }, value: 1 },
  { labels: { code: '200', listen_addr: 'a', node: 'y' }, value: 2 },
  { labels: { code: '502', listen_addr: 'a', node: 'x' }, value: 4 },
];

test('a disabled label is empty, and what differed in it alone is added up', () => {
  expect(linesOf(disableLabels(metric('stream_status', statuses), { stream_status: ['node'] }))).toEqual([
    { labels: { code: '200', listen_addr: 'a', node: '' }, value: 3 },
    { labels: { code: '502', listen_addr: 'a', node: '' }, value: 4 },
  ]);
});

test('nodes that become one series are healthy while all of them are', () => {
  const nodes = [
    { labels: { name: '/upstreams/1', ip: '192.0.2.1', port: 1 }, value: 1 },
    { labels: { name: '/upstreams/1', ip: '192.0.2.2', port: 1 }, value: 0 },
    { labels: { name: '/upstreams/2', ip: '192.0.2.1', port: 1 }, value: 1 },
  ];

  expect(
    linesOf(disableLabels(metric('upstream_status', nodes), { upstream_status: ['ip', 'port'] })),
  ).toEqual([
    { labels: { name: '/upstreams/1', ip: '', port: '' }, value: 0 },
    { labels: { name: '/upstreams/2', ip: '', port: '' }, value: 1 },
  ]);
});

test.for([
  ['a label that says what is counted', 'stream_status', { stream_status: ['code'] }],
  ['a label that the metric does not have', 'stream_status', { stream_status: ['route'] }],
  ['another metric', 'stream_status', { http_status: ['node'] }],
  ['a metric that is not of sessions or nodes', 'store_state', { store_state: ['node'] }],
] as const)('%s cannot be disabled, and nothing happens', ([, name, disabled]) => {
  expect(linesOf(disableLabels(metric(name, statuses), disabled))).toEqual(statuses);
});
