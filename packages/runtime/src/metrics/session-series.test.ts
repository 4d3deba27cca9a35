import { expect, test } from 'vitest';
import { SessionSeries } from './session-series.ts';
import { testSession } from '../testing/test-session.ts';
import { SessionTallies } from './session-tallies.ts';

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

  const session = testSession({ route: { id: 'a', name: undefined, serviceId: undefined } });
  const stray = testSession({ route: undefined, listenerName: 'unix:/a b' });

  first.count(session, 'OK', '192.0.2.1:3306');
  series.add(first.take());
  first.count(session, 'UPSTREAM_CONNECT_TIMEOUT', '192.0.2.1:3306');
  second.count(session, 'UPSTREAM_RESET', '192.0.2.1:3306');
  second.count(stray, 'ROUTE_NOT_FOUND', undefined);
  for (const tallies of [first, second, first, second]) series.add(tallies.take());

  expect(routesOf(series)).toEqual({ a: 3, '': 1 });
  expect([...series.statuses()]).toEqual([
    { labels: { code: '200', listener: '0.0.0.0:9100', node: '192.0.2.1:3306' }, value: 1 },
    { labels: { code: '502', listener: '0.0.0.0:9100', node: '192.0.2.1:3306' }, value: 2 },
    { labels: { code: '500', listener: 'unix:/a b', node: '' }, value: 1 },
  ]);
});

test('sessions are counted by values of variables too, none of which can be taken for two', () => {
  const series = new SessionSeries({
    routeAgeMs: 0,
    statusAgeMs: 0,
    routeExtra: ['sni', 'from'],
    statusExtra: ['from'],
    nowMs: () => 0,
  });
  const tallies = new SessionTallies(() => {}, {
    routes: ['ssl_preread_server_name', 'remote_addr'],
    statuses: ['remote_addr'],
  });

  tallies.count(testSession({ serverName: 'a\nb' }), 'OK', undefined);
  tallies.count(testSession({ serverName: undefined }), 'OK', undefined);
  series.add(tallies.take());

  expect([...series.routes()]).toEqual([
    { labels: 'r', extra: { sni: 'a b', from: '192.0.2.7' }, value: 1 },
    { labels: 'r', extra: { sni: '', from: '192.0.2.7' }, value: 1 },
  ]);
  expect([...series.statuses()]).toEqual([
    { labels: { code: '200', listener: '0.0.0.0:9100', node: '' }, extra: { from: '192.0.2.7' }, value: 2 },
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

  tallies.count(testSession(), 'OK', 'n');
  await promise;

  expect([...tallies.take().routes]).toEqual([['r', 1]]);
  expect([...tallies.take().routes]).toEqual([]);
});
