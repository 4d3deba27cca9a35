import { expect, test } from 'vitest';
import { SessionSeries } from './session-series.ts';
import { SessionTallies, statusLabels } from './session-tallies.ts';

function open(ageMs: number): { series: SessionSeries; wait: (ms: number) => void } {
  let nowMs = 1_000_000;
  const series = new SessionSeries({ routeAgeMs: ageMs, statusAgeMs: ageMs, nowMs: () => nowMs });
  return {
    series,
    wait: (ms) => {
      nowMs += ms;
    },
  };
}

const routesOf = (series: SessionSeries): unknown =>
  Object.fromEntries(Array.from(series.routes(), ({ labels, value }) => [labels, value]));

const routes = (...counts: readonly (readonly [string, number])[]): Parameters<SessionSeries['add']>[0] => ({
  routes: new Map(counts),
  statuses: new Map(),
});

test('what workers tell is added up, each thing once', () => {
  const { series } = open(0);
  const [first, second] = [new SessionTallies(() => {}), new SessionTallies(() => {})];

  first.count('OK', 'a', '0.0.0.0:9100', '192.0.2.1:3306');
  series.add(first.take());
  first.count('UPSTREAM_CONNECT_TIMEOUT', 'a', '0.0.0.0:9100', '192.0.2.1:3306');
  second.count('UPSTREAM_RESET', 'a', '0.0.0.0:9100', '192.0.2.1:3306');
  second.count('ROUTE_NOT_FOUND', undefined, 'unix:/a b', undefined);
  for (const tallies of [first, second, first, second]) series.add(tallies.take());

  expect(routesOf(series)).toEqual({ a: 3, '': 1 });
  expect([...series.statuses()]).toEqual([
    { labels: { code: '200', listener: '0.0.0.0:9100', node: '192.0.2.1:3306' }, value: 1 },
    { labels: { code: '502', listener: '0.0.0.0:9100', node: '192.0.2.1:3306' }, value: 2 },
    { labels: { code: '500', listener: 'unix:/a b', node: '' }, value: 1 },
  ]);
});

test('a series that is silent for long goes, and one that is never counted out stays', () => {
  const aging = open(1000);
  const lasting = open(0);

  for (const { series, wait } of [aging, lasting]) {
    series.add(routes(['old', 1], ['young', 1]));
    wait(999);
    series.add(routes(['young', 1]));
    wait(1);
  }

  expect(routesOf(aging.series)).toEqual({ young: 2 });
  expect(routesOf(lasting.series)).toEqual({ old: 1, young: 2 });
});

test('there are never more than 20 000 series of a metric: those that were silent longest go', () => {
  const { series, wait } = open(0);
  series.add(routes(['first', 1]));
  wait(1);
  series.add(routes(...Array.from({ length: 20_000 }, (_, index) => [`route-${index}`, 1] as const)));

  expect(Object.keys(routesOf(series) as object)).toHaveLength(18_000);
  expect(series.evicted).toBe(2001);
  expect(routesOf(series)).not.toHaveProperty('first');
  expect(routesOf(series)).toHaveProperty('route-19999');
});

test('a tally is due a second after the first session, and not again once it was taken', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const tallies = new SessionTallies(resolve);

  tallies.count('OK', 'a', 'l', 'n');
  await promise;

  expect([...tallies.take().routes]).toEqual([['a', 1]]);
  expect([...tallies.take().routes]).toEqual([]);
  expect(statusLabels('200\nl\nn')).toEqual({ code: '200', listener: 'l', node: 'n' });
});
