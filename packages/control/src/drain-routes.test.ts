import { GatewayError } from '@apisix-ts/errors';
import { expect, onTestFinished, test } from 'vitest';
import type { DrainAccess, DrainFacts, DrainTarget } from './drain-facts.ts';
import { addDrainRoutes } from './drain-routes.ts';
import { openHttpService } from './http-service.ts';

const node: DrainFacts = { kind: 'node', name: '10.0.0.5:3306', since: 1000, overMs: 1500, sessions: 7 };
const route: DrainFacts = { kind: 'route', name: 'mysql', since: 2000, sessions: 1 };

interface Scene {
  readonly ask: (method: string, query: string, body?: unknown) => Promise<readonly [number, unknown]>;
  readonly done: unknown[];
}

async function open(): Promise<Scene> {
  const done: unknown[] = [];
  const isUnknown = ({ name }: DrainTarget): boolean => name === 'absent';
  const drains: DrainAccess = {
    current: [],
    list: async () => [node, route],
    async start(target, overMs) {
      if (isUnknown(target)) throw new GatewayError('DRAIN_TARGET_UNKNOWN', 'there is no route absent');
      done.push(['start', target, overMs]);
      return node;
    },
    async undo(target) {
      if (isUnknown(target)) throw new GatewayError('LISTENER_PORT_IN_USE', 'somebody has it');
      done.push(['undo', target]);
    },
  };
  const options = { name: 'a test', host: '127.0.0.1', port: 0, serverToken: 'APISIX' };
  const server = await openHttpService(options, (app) => addDrainRoutes(app, drains));
  onTestFinished(() => server.close());
  return {
    done,
    async ask(method, query, body) {
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/drain${query}`, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      return [response.status, await response.json()];
    },
  };
}

const shownNode = { node: '10.0.0.5:3306', since: 1000, over: 1.5, ends_at: 2500, sessions: 7 };

test('what is drained is shown, with its sessions', async () => {
  const { ask } = await open();

  expect(await ask('GET', '')).toEqual([
    200,
    { draining: [shownNode, { route: 'mysql', since: 2000, sessions: 1 }] },
  ]);
});

test('a drain is begun, with a time or without one', async () => {
  const { ask, done } = await open();

  expect(await ask('POST', '', { node: '10.0.0.5:3306', over: 1.5 })).toEqual([200, shownNode]);
  await ask('POST', '', { listener: '9100' });
  await ask('POST', '', { upstream: 'u', over: 0 });

  expect(done).toEqual([
    ['start', { kind: 'node', name: '10.0.0.5:3306' }, 1500],
    ['start', { kind: 'listener', name: '9100' }, undefined],
    ['start', { kind: 'upstream', name: 'u' }, 0],
  ]);
});

test('a drain is undone, and what is left is told', async () => {
  const { ask, done } = await open();

  expect(await ask('DELETE', '?route=mysql')).toMatchObject([200, { draining: [{}, {}] }]);
  expect(done).toEqual([['undo', { kind: 'route', name: 'mysql' }]]);
});

test.for([
  ['POST', '', { route: 'absent' }, 404, 'there is no route absent'],
  ['DELETE', '?route=absent', undefined, 500, 'somebody has it'],
  ['POST', '', { route: 'a', node: 'b' }, 400, 'expected one of listener, route, upstream, node'],
  ['POST', '', { over: 1 }, 400, 'expected one of listener, route, upstream, node'],
  ['POST', '', { rout: 'a' }, 400, 'unknown member rout: expected listener, route, upstream, node, over'],
  ['POST', '', { route: 7 }, 400, 'expected one text as route, found 7'],
  ['POST', '', { route: '' }, 400, 'expected one text as route, found ""'],
  ['POST', '', { route: 'a', over: '60s' }, 400, 'as over, found "60s"'],
  ['POST', '', { route: 'a', over: -1 }, 400, 'as over, found -1'],
  ['POST', '', { route: 'a', over: null }, 400, 'as over, found null'],
  ['POST', '', ['route'], 400, 'expected a JSON object'],
  ['DELETE', '', undefined, 400, 'expected one of listener'],
  ['DELETE', '?route=a&route=b', undefined, 400, 'expected one text as route'],
  ['DELETE', '?route=a&over=1', undefined, 400, 'unknown member over'],
] as const)('%s %s %o is answered with %i', async ([method, query, body, status, message]) => {
  const { ask, done } = await open();

  expect(await ask(method, query, body)).toEqual([status, { error_msg: expect.stringContaining(message) }]);
  expect(done).toEqual([]);
});

test('pages in a browser are kept away', async () => {
  const options = { name: 'a test', host: '127.0.0.1', port: 0, serverToken: 'APISIX' };
  const drains: DrainAccess = {
    current: [],
    list: () => Promise.reject(new TypeError('nobody may ask')),
    start: () => Promise.reject(new TypeError('nobody may start')),
    undo: () => Promise.reject(new TypeError('nobody may undo')),
  };
  const server = await openHttpService(options, (app) => addDrainRoutes(app, drains));
  onTestFinished(() => server.close());

  for (const method of ['GET', 'POST', 'DELETE']) {
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/drain?route=a`, {
      method,
      headers: { origin: 'https://evil.test' },
    });
    expect(response.status).toBe(403);
  }
});
