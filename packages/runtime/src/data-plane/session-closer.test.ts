import { expect, test } from 'vitest';
import { SessionCloser } from './session-closer.ts';
import type { ClosableSession } from './session-closer.ts';

const node = { host: 'db.test', address: '192.0.2.1', port: 3306 };

/** Sessions to a node, and what became of them. */
function open(count: number) {
  const health = { isUnhealthy: true };
  const closed: number[] = [];
  const sessions = new Set<ClosableSession>();
  for (let index = 0; index < count; index += 1) {
    const session: ClosableSession = {
      isOnUnhealthy: (upstreamKey, { port }) =>
        health.isUnhealthy && upstreamKey === 'u' && port === node.port,
      close() {
        closed.push(index);
        sessions.delete(session);
      },
    };
    sessions.add(session);
  }
  return { health, closed, sessions };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test('a hundred sessions are closed a turn, of all kinds and nodes together', async () => {
  const connections = open(150);
  const flows = open(120);
  const closer = new SessionCloser(connections.sessions, flows.sessions);
  const closed = (): number => connections.closed.length + flows.closed.length;

  closer.closeSessionsOf('u', node);
  closer.closeSessionsOf('other', node);
  const counts = [closed()];
  for (let turns = 0; turns < 3; turns += 1) {
    await turn();
    counts.push(closed());
  }

  expect(counts).toEqual([100, 200, 270, 270]);
});

test('sessions that begin or end meanwhile are left alone', async () => {
  const { closed, sessions } = open(150);
  const all = [...sessions];
  const closer = new SessionCloser(sessions);

  closer.closeSessionsOf('u', node);
  const late: ClosableSession = { isOnUnhealthy: () => true, close: () => closed.push(-1) };
  sessions.add(late);
  for (const session of all.slice(120)) sessions.delete(session);
  await turn();
  await turn();

  expect(closed).toEqual(Array.from({ length: 120 }, (_, index) => index));
  expect([...sessions]).toEqual([late]);
});

test('closing stops when the node is healthy again', async () => {
  const { health, closed, sessions } = open(150);
  const closer = new SessionCloser(sessions);

  closer.closeSessionsOf('u', node);
  health.isUnhealthy = false;
  await turn();
  await turn();

  expect(closed).toHaveLength(100);
});
