import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { resourceKinds } from '@apisix-ts/config';
import type { Document } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createControlServer } from './control-server.ts';
import type { ControlServerOptions } from './control-server.ts';
import type { DrainAccess } from './drain-facts.ts';
import type { GatewayFacts, SnapshotFacts } from './gateway-facts.ts';
import type { SessionAccess } from './session-facts.ts';

const facts: GatewayFacts = {
  provider: 'embedded',
  phase: 'serving',
  store: { state: 'following', since: 5, revision: 12 },
  revision: 12,
  previousRevision: 0,
  workers: new Map([
    [0, 12],
    [1, 11],
  ]),
  workerCount: 2,
  listeners: [{ protocol: 'tcp', host: '0.0.0.0', port: 9100 }],
  faults: [
    {
      resource: 'ssls/1',
      secret: '$secret://vault/1/db/key',
      code: 'SECRET_UNREACHABLE',
      reason: 'nobody answers',
      hasPredecessor: true,
    },
  ],
  certificates: [],
  rejections: [
    { kind: 'stream_routes', id: 'r', revision: 9, message: 'it is not JSON', hasPredecessor: true },
  ],
  health: [
    {
      name: 'upstreams/u',
      type: 'tcp',
      nodes: [
        {
          ip: '192.0.2.1',
          port: 3306,
          hostname: 'db.test',
          status: 'healthy',
          counter: { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 },
        },
      ],
    },
  ],
};

const drains: DrainAccess = {
  current: [{ kind: 'node', name: '10.0.0.5:3306' }],
  list: async () => [],
  start: () => Promise.reject(new TypeError('not part of this test')),
  undo: () => Promise.reject(new TypeError('not part of this test')),
};

const identity = { version: '1.2.3', role: 'traditional', startedMs: 3 };

const bytes = {
  downstreamIngressBytes: 0,
  downstreamEgressBytes: 0,
  upstreamIngressBytes: 0,
  upstreamEgressBytes: 0,
};

const listeners = new Map([
  ['0.0.0.0:9100', { ...bytes, accepted: 10, closed: 6 }],
  ['0.0.0.0:53/udp', { ...bytes, accepted: 1, closed: 0 }],
]);

/** By segment, then id. */
type Resources = Readonly<Record<string, Readonly<Record<string, Document>>>>;

const resources: Resources = {
  upstreams: {
    u: { id: 'u', nodes: { 'db.test:3306': 1 }, type: 'roundrobin' },
    unchecked: { id: 'unchecked', nodes: [{ host: '::1', port: 1, weight: 1, priority: 0 }] },
  },
  stream_routes: {
    r: { id: 'r', upstream: { nodes: { 'unix:/s': 1 }, tls: { client_cert: 'c', client_key: 'secret' } } },
  },
  routes: { r: { id: 'r', uri: '/' } },
  plugin_metadata: { known: { id: 'known', a: 1 }, unknown: { id: 'unknown' } },
};

function documentsOf(held: Resources): ControlServerOptions['documents'] {
  const of = (kind: string): Record<string, Document> => ({ ...held[kind] });
  return {
    get: (kind, id) => of(kind)[id],
    entries: (kind) => Object.entries(of(kind)),
    revisionsOf: (kind, id) => (id in of(kind) ? { createRevision: 3, modRevision: 7 } : undefined),
  };
}

const sessions: SessionAccess = { list: async () => ({ total: 0, sessions: [] }), close: async () => 0 };

async function open(status = facts, options: Partial<ControlServerOptions> = {}): Promise<string> {
  const server = await createControlServer({
    host: '127.0.0.1',
    port: 0,
    serverToken: 'APISIX',
    kinds: resourceKinds,
    status: () => status,
    documents: documentsOf(resources),
    plugins: new Map([['known', { priority: 1, version: 0.1, schema: { type: 'object' } }]]),
    reloadPlugins: async () => {},
    collectGarbage() {},
    identity,
    counts: () => ({ listeners, sessionsWaiting: 2 }),
    explain: () => Promise.reject(new GatewayError('WORKER_DIED', 'nobody is there')),
    prefix: '/apisix',
    sessions,
    drains,
    ...options,
  });
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

test('tells which revision is in effect in each worker and in all of them', async () => {
  const response = await fetch(`${await open()}/v1/config/status`);

  expect(response.headers.get('server')).toBe('APISIX');
  expect(await response.json()).toEqual({
    version: '1.2.3',
    role: 'traditional',
    phase: 'serving',
    started: 3,
    config_provider: 'embedded',
    store: { state: 'following', since: 5, revision: 12 },
    applied_revision: 11,
    workers: [
      { id: 0, revision: 12 },
      { id: 1, revision: 11 },
    ],
    listeners: [{ protocol: 'tcp', host: '0.0.0.0', port: 9100 }],
    sessions: { open: 5, waiting: 2 },
    draining: [{ node: '10.0.0.5:3306' }],
    rejected: [
      { resource: 'stream_routes/r', revision: 9, reason: 'it is not JSON', serves_last_good: true },
    ],
    faults: [
      {
        resource: 'ssls/1',
        secret: '$secret://vault/1/db/key',
        code: 'SECRET_UNREACHABLE',
        reason: 'nobody answers',
        serves_last_good: true,
      },
    ],
  });
});

test('lets go of a client that stops within its headers', async () => {
  const { port } = new URL(await open(facts, { headersTimeoutMs: 1000, requestTimeoutMs: 1000 }));
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /v1/schema HTTP/1.1\r\n');

  expect(await text(socket)).toMatch(/^HTTP\/1.1 408 [^]*{"error_msg":"the request took too long"}\n$/);
});

test('tells why the store is away', async () => {
  const error = new GatewayError('STORE_UNREACHABLE', 'nobody answers');
  const base = await open({ ...facts, store: { state: 'away', since: 7, revision: 12, error } });

  const status: unknown = await (await fetch(`${base}/v1/config/status`)).json();

  expect(status).toMatchObject({ store: { state: 'away', since: 7, revision: 12, error: 'nobody answers' } });
});

test('tells what is kept on disk, and whether it serves', async () => {
  const path = '/srv/data/etcd-snapshot.jsonl';
  const error = new GatewayError('SNAPSHOT_UNWRITABLE', 'the disk is full');
  const ask = async (snapshot: SnapshotFacts): Promise<unknown> => {
    const response = await fetch(`${await open({ ...facts, snapshot })}/v1/config/status`);
    return response.json();
  };

  expect(await ask({ path, isServing: true, revision: 12, savedAtMs: 3 })).toMatchObject({
    snapshot: { path, serving: true, revision: 12, saved_at: 3 },
  });
  expect(await ask({ path, isServing: false, error })).toMatchObject({
    snapshot: { path, serving: false, error: 'the disk is full' },
  });
});

test('serves the schemas of all kinds of resources', async () => {
  const schemas: unknown = await (await fetch(`${await open()}/v1/schema`)).json();

  expect(schemas).toMatchObject({
    main: { stream_route: { type: 'object' }, upstream: {}, service: {} },
    plugins: {},
    stream_plugins: { known: { priority: 1, version: 0.1, schema: { type: 'object' } } },
  });
});

describe('health checks', () => {
  const checked = { name: '/apisix/upstreams/u', type: 'tcp', nodes: facts.health[0]?.nodes };

  test.for([
    ['/v1/healthcheck', 200, [checked]],
    ['/v1/healthcheck/upstreams/u', 200, checked],
    ['/v1/healthcheck/upstreams/unchecked', 404, { error_msg: 'no checker for upstreams[unchecked]' }],
    ['/v1/healthcheck/upstreams/absent', 404, { error_msg: 'upstreams[absent] not found' }],
    ['/v1/healthcheck/upstreams', 404, { error_msg: 'missing src id for src type upstreams' }],
    ['/v1/healthcheck/route/1', 400, { error_msg: 'invalid src type route' }],
  ] as const)('%s is answered with %i', async ([path, status, body]) => {
    const response = await fetch(`${await open()}${path}`);

    expect([response.status, await response.json()]).toEqual([status, body]);
  });
});

test('a browser gets the health checks as a table, with the bad rows in red', async () => {
  const [upstream] = facts.health;
  const nodes = upstream?.nodes.map((node) => ({ ...node, status: 'mostly_unhealthy' })) ?? [];
  const health = [{ name: 'upstreams/<i>', type: 'http', nodes }];

  const response = await fetch(`${await open({ ...facts, health })}/v1/healthcheck`, {
    headers: { accept: 'text/html,application/xml;q=0.9' },
  });
  const page = await response.text();

  expect(response.headers.get('content-type')).toContain('text/html');
  expect(page).toContain(
    '<tr style="background-color:#FF0000"><td>1</td><td>/apisix/upstreams/&#60;i&#62;</td><td>http</td><td>192.0.2.1:3306</td>',
  );
});

describe('resources', () => {
  const indexes = { createdIndex: 3, modifiedIndex: 7 };

  test('are shown with their places and revisions, and nodes as an array', async () => {
    const base = await open();
    const ask = async (path: string): Promise<unknown> => (await fetch(`${base}${path}`)).json();

    expect(await ask('/v1/upstreams')).toEqual([
      {
        key: '/apisix/upstreams/u',
        value: {
          id: 'u',
          type: 'roundrobin',
          nodes: [{ host: 'db.test', port: 3306, weight: 1, priority: 0 }],
        },
        ...indexes,
        has_domain: true,
      },
      {
        key: '/apisix/upstreams/unchecked',
        value: { id: 'unchecked', nodes: [{ host: '::1', port: 1, weight: 1, priority: 0 }] },
        ...indexes,
        has_domain: false,
      },
    ]);
    expect(await ask('/v1/route/r')).toEqual({
      key: '/apisix/routes/r',
      value: { id: 'r', uri: '/' },
      ...indexes,
      orig_modifiedIndex: 7,
      has_domain: false,
    });
    expect(await ask('/v1/services')).toEqual([]);
  });

  test('are shown without their private keys', async () => {
    const answer = await (await fetch(`${await open()}/v1/stream_route/r`)).text();

    expect(answer).not.toContain('secret');
    expect(JSON.parse(answer)).toMatchObject({
      value: { upstream: { nodes: [{ host: 'unix:/s' }], tls: { client_cert: 'c' } } },
      has_domain: false,
    });
  });

  test.for([
    ['/v1/route/x', 'route[x] not found'],
    ['/v1/service/x', 'service[x] not found'],
    ['/v1/upstream/x', 'upstream[x] not found'],
    ['/v1/stream_route/x', 'stream_route[x] not found'],
    ['/v1/plugin_metadata/unknown', 'plugin metadata[unknown] not found'],
    ['/v1/discovery/dns/dump', 'not found'],
    ['/v0/schema', 'not found'],
    ['/v1/ssls', 'not found'],
  ])('%s is answered with 404 in JSON', async ([path, message]) => {
    const response = await fetch(`${await open()}${path}`);

    expect([response.status, await response.json()]).toEqual([404, { error_msg: message }]);
  });

  test('may be many: then other work gets its turn while they are sent', async () => {
    const routes = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, id) => [id, { id, upstream: { nodes: { [`10.0.0.1:${id}`]: 1 } } }]),
    );
    const base = await open(facts, { documents: documentsOf({ stream_routes: routes }) });
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };

    const response = await fetch(`${base}/v1/stream_routes`);
    setImmediate(count);
    const list: unknown = await response.json();
    isDone = true;

    expect(list).toHaveLength(20_000);
    expect(turns).toBeGreaterThan(10);
  });
});

describe('plugins', () => {
  test('have metadata only where they are', async () => {
    const base = await open();

    expect(await (await fetch(`${base}/v1/plugin_metadatas`)).json()).toEqual([{ id: 'known', a: 1 }]);
    expect(await (await fetch(`${base}/v1/plugin_metadata/known`)).json()).toEqual({ id: 'known', a: 1 });
  });

  test('are loaded again by PUT, and by nothing else', async () => {
    let reloads = 0;
    const base = await open(facts, { reloadPlugins: async () => void (reloads += 1) });
    const ask = async (method: string): Promise<[number, string]> => {
      const response = await fetch(`${base}/v1/plugins/reload`, { method });
      return [response.status, await response.text()];
    };

    expect(await ask('PUT')).toEqual([200, 'done']);
    expect(await ask('POST')).toEqual([404, '{"error_msg":"not found"}\n']);
    expect(await ask('GET')).toEqual([404, '{"error_msg":"not found"}\n']);
    expect(reloads).toBe(1);
  });
});

test('POST /v1/gc gives memory back, and has nothing to say', async () => {
  let collections = 0;
  const base = await open(facts, { collectGarbage: () => void (collections += 1) });

  const response = await fetch(`${base}/v1/gc`, { method: 'POST' });

  expect([response.status, await response.text(), collections]).toEqual([200, '', 1]);
});

test('says which port is in use', async () => {
  const { port } = new URL(await open());

  await expect(
    createControlServer({
      host: '127.0.0.1',
      port: Number(port),
      serverToken: 'APISIX',
      kinds: [],
      status: () => facts,
      documents: documentsOf({}),
      plugins: new Map(),
      reloadPlugins: async () => {},
      collectGarbage() {},
      identity,
      counts: () => ({ listeners: new Map(), sessionsWaiting: 0 }),
      explain: () => Promise.reject(new TypeError('not part of this test')),
      prefix: '/apisix',
      sessions,
      drains,
    }),
  ).rejects.toMatchObject({
    code: 'LISTENER_PORT_IN_USE',
    message: expect.stringContaining(`the Control API (apisix.control) cannot listen on 127.0.0.1:${port}`),
  });
});
