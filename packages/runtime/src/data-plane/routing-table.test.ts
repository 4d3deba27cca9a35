import { TimerWheel } from '@apisix-ts/core';
import { FakeClock } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import type { FactChange } from '../facts/facts.ts';
import { SharedNodeLoads, WorkerNodeLoads } from '../shared-node-loads.ts';
import { SharedSessionCounts, WorkerSessionCounts } from '../shared-session-counts.ts';
import { PluginTable } from './plugin-table.ts';
import { RoutingTable } from './routing-table.ts';

function createTable(): RoutingTable {
  const loads = new WorkerNodeLoads(new SharedNodeLoads(1).shared, 0, () => 0);
  const counts = new WorkerSessionCounts(new SharedSessionCounts(1).shared, 0);
  return new RoutingTable(
    loads,
    new PluginTable({ counts, wheel: new TimerWheel(new FakeClock()), caFile: undefined, log() {} }),
  );
}

function route(id: string, serverPort: number): FactChange {
  return { kind: 'route', key: id, facts: { id, priority: 0, serverPort } };
}

test('tells of two routes that tie once, whichever came first', () => {
  const table = createTable();

  table.apply([route('b', 1), route('a', 1)]);

  expect(table.takeOverlaps()).toEqual([{ winner: 'a', shadowed: 'b' }]);
  expect(table.takeOverlaps()).toEqual([]);
});

test('routes that swap places in one change do not tie', () => {
  const table = createTable();
  table.apply([route('a', 1), route('b', 2)]);

  table.apply([route('a', 2), route('b', 1)]);

  expect(table.takeOverlaps()).toEqual([]);
});

test('a route that moves on to a third one ties with that', () => {
  const table = createTable();
  table.apply([route('a', 1), route('b', 2), route('c', 2)]);
  table.takeOverlaps();

  table.apply([route('a', 2), route('b', 3)]);

  expect(table.takeOverlaps()).toEqual([{ winner: 'a', shadowed: 'c' }]);
});
