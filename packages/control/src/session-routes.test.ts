import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openHttpService } from './http-service.ts';
import type { SessionAccess, SessionFacts, SessionFilter } from './session-facts.ts';
import { addSessionRoutes } from './session-routes.ts';

const session: SessionFacts = {
  id: '1-17',
  worker: 1,
  protocol: 'tcp',
  state: 'relaying',
  listener: '0.0.0.0:9100',
  client: '198.51.100.7:50000',
  server: '192.0.2.1:9100',
  serverName: undefined,
  routeId: 'mysql',
  serviceId: undefined,
  upstream: 'stream_routes/mysql',
  node: '10.0.0.5:3306',
  startedAt: 1_795_399_563_518,
  ageMs: 61_234,
  idleMs: 200,
  bytesReceived: 7,
  bytesSent: 9,
};

interface Scene {
  readonly base: string;
  readonly asked: { filter: SessionFilter; limit?: number }[];
}

async function open(): Promise<Scene> {
  const asked: Scene['asked'] = [];
  const sessions: SessionAccess = {
    async list(filter, limit) {
      asked.push({ filter, limit });
      return { total: 5, sessions: [session] };
    },
    async close(filter) {
      asked.push({ filter });
      return 3;
    },
  };
  const options = { name: 'a test', host: '127.0.0.1', port: 0, serverToken: 'APISIX' };
  const server = await openHttpService(options, (app) => addSessionRoutes(app, sessions));
  onTestFinished(() => server.close());
  return { base: `http://127.0.0.1:${server.port}`, asked };
}

test('sessions are shown with what is known of them', async () => {
  const { base, asked } = await open();

  const answer: unknown = await (await fetch(`${base}/v1/connections`)).json();

  expect(asked).toEqual([{ filter: {}, limit: 1000 }]);
  expect(answer).toEqual({
    total: 5,
    connections: [
      {
        id: '1-17',
        worker: 1,
        protocol: 'tcp',
        listener: '0.0.0.0:9100',
        client: '198.51.100.7:50000',
        server: '192.0.2.1:9100',
        route: 'mysql',
        upstream: 'stream_routes/mysql',
        node: '10.0.0.5:3306',
        state: 'relaying',
        started_at: 1_795_399_563_518,
        age: 61.2,
        idle: 0.2,
        bytes_received: 7,
        bytes_sent: 9,
      },
    ],
  });
});

test('every filter is handed on', async () => {
  const { base, asked } = await open();
  const given = {
    listener: '9100',
    route: 'mysql',
    service: 's',
    upstream: 'u',
    node: '10.0.0.5:3306',
    client: '10.0.0.0/8',
    protocol: 'tcp',
    sni: 'a.test',
    state: 'waiting',
    id: '0-3',
  };

  const query = new URLSearchParams({ ...given, older_than: '1.5', limit: '0' });
  await fetch(`${base}/v1/connections?${query.toString()}`);

  expect(asked).toEqual([{ filter: { ...given, olderThanMs: 1500 }, limit: 0 }]);
});

test('sessions are closed, and counted', async () => {
  const { base, asked } = await open();
  const close = async (query: string): Promise<unknown> =>
    (await fetch(`${base}/v1/connections?${query}`, { method: 'DELETE' })).json();

  expect(await close('node=10.0.0.5')).toEqual({ closed: 3 });
  expect(await close('all=true')).toEqual({ closed: 3 });
  expect(asked).toEqual([{ filter: { node: '10.0.0.5' } }, { filter: {} }]);
});

describe('what cannot be meant is refused, and nothing is done', () => {
  test.for([
    ['GET', 'rout=1', 'unknown argument rout: expected listener'],
    ['GET', 'route=1&route=2', 'expected one text as route, found several'],
    ['GET', 'route=', 'expected one text as route, found none'],
    ['GET', 'client=10.0.0.0/33', 'as client, found 10.0.0.0/33'],
    ['GET', 'client=localhost', 'as client, found localhost'],
    ['GET', 'client=fe80::1%25eth0', 'as client, found'],
    ['GET', 'protocol=TCP', 'expected tcp or udp'],
    ['GET', 'state=open', 'expected one of arriving, waiting, dialing, relaying, closing as state'],
    ['GET', 'id=17', 'such as 0-17'],
    ['GET', 'older_than=1m', 'expected seconds as older_than'],
    ['GET', 'limit=10001', 'from 0 to 10000 as limit'],
    ['GET', 'all=true', 'unknown argument all'],
    ['DELETE', '', 'expected at least one filter, or all=true'],
    ['DELETE', 'all=true&route=1', 'expected at least one filter, or all=true and no filter'],
    ['DELETE', 'all=yes', 'expected true as all'],
    ['DELETE', 'limit=1&route=1', 'unknown argument limit'],
  ] as const)('%s ?%s', async ([method, query, message]) => {
    const { base, asked } = await open();

    const response = await fetch(`${base}/v1/connections?${query}`, { method });

    expect([response.status, await response.json()]).toEqual([
      400,
      { error_msg: expect.stringContaining(message) },
    ]);
    expect(asked).toEqual([]);
  });
});

describe('a page in a browser is kept away', () => {
  test.for([
    [{ host: 'localhost:9090' }, 200],
    [{ host: '[::1]:9090' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ origin: 'http://127.0.0.1:9090' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ host: 'evil.test:9090' }, 403],
    [{ host: 'localhost.evil.test' }, 403],
  ] as const)('%o is answered with %i', async ([headers, status]) => {
    const { base, asked } = await open();

    for (const method of ['GET', 'DELETE']) {
      expect(await send(`${base}/v1/connections?node=a`, method, headers)).toBe(status);
    }

    expect(asked).toHaveLength(status === 200 ? 2 : 0);
  });
});

/** Node's `fetch` sends no `Host` of one's own. */
async function send(url: string, method: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(url, { method, headers })
    .on('error', reject)
    .on('response', (response) => {
      text(response).then(() => resolve(response.statusCode ?? 0), reject);
    })
    .end();
  return promise;
}
