import { expect, onTestFinished, test } from 'vitest';
import { createStatusServer } from './status-server.ts';
import type { StatusServerOptions } from './status-server.ts';

type Facts = ReturnType<StatusServerOptions['status']>;

const serving: Facts = {
  phase: 'serving',
  workerCount: 2,
  workers: new Map([
    [0, 12],
    [1, 11],
  ]),
};

test.for(['/status', '/status/any/thing'])('%s answers whatever the gateway does', async (path) => {
  expect(await ask(path, { ...serving, phase: 'starting', workers: new Map() })).toEqual([
    200,
    { status: 'ok' },
  ]);
});

test('/status/ready answers 200 once every worker has the configuration', async () => {
  expect(await ask('/status/ready', serving)).toEqual([200, { status: 'ok' }]);
});

test.for([
  [{ workers: new Map([[0, 12]]) }, 'worker count: 2 but status report count: 1'],
  [{ workers: new Map([[0, 12]]).set(1, 0) }, 'worker id: 1 has not received configuration'],
  [{ phase: 'starting' }, 'the listeners are not open yet'],
  [{ phase: 'ending' }, 'the gateway is ending'],
] as const)('/status/ready answers 503 with the reason: %j', async ([facts, error]) => {
  expect(await ask('/status/ready', { ...serving, ...facts })).toEqual([503, { status: 'error', error }]);
});

test('what serves from the snapshot on disk is ready, and says so', async () => {
  const snapshot = { path: '/srv/data/etcd-snapshot.jsonl', revision: 41, savedAtMs: 5 };

  expect(await ask('/status/ready', { ...serving, snapshot: { ...snapshot, isServing: true } })).toEqual([
    200,
    { status: 'ok', snapshot: { revision: 41, saved_at: 5 } },
  ]);
  expect(await ask('/status/ready', { ...serving, snapshot: { ...snapshot, isServing: false } })).toEqual([
    200,
    { status: 'ok' },
  ]);
});

test('anything else is answered with 404 in JSON', async () => {
  expect(await ask('/other', serving)).toEqual([404, { error_msg: 'not found' }]);
});

async function ask(path: string, facts: Facts): Promise<[status: number, body: unknown]> {
  const server = await createStatusServer({
    host: '127.0.0.1',
    port: 0,
    serverToken: 'APISIX',
    status: () => facts,
  });
  onTestFinished(() => server.close());
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return [response.status, await response.json()];
}
