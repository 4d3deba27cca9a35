import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { resourceKinds } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { HttpLimits } from '@apisix-ts/http-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createControlServer } from './control-server.ts';
import type { GatewayFacts, SnapshotFacts } from './gateway-facts.ts';

const facts: GatewayFacts = {
  provider: 'embedded',
  phase: 'serving',
  store: { state: 'following', since: 5, revision: 12 },
  revision: 12,
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

async function open(status = facts, limits: HttpLimits = {}): Promise<string> {
  const server = await createControlServer({
    host: '127.0.0.1',
    port: 0,
    serverToken: 'APISIX',
    kinds: resourceKinds,
    status: () => status,
    hasResource: (segment, id) => segment === 'upstreams' && ['u', 'unchecked'].includes(id),
    prefix: '/apisix',
    ...limits,
  });
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

test('tells which revision is in effect in each worker and in all of them', async () => {
  const response = await fetch(`${await open()}/v1/config/status`);

  expect(response.headers.get('server')).toBe('APISIX');
  expect(await response.json()).toEqual({
    config_provider: 'embedded',
    store: { state: 'following', since: 5, revision: 12 },
    applied_revision: 11,
    workers: [
      { id: 0, revision: 12 },
      { id: 1, revision: 11 },
    ],
    listeners: [{ protocol: 'tcp', host: '0.0.0.0', port: 9100 }],
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
  const { port } = new URL(await open(facts, { headersTimeoutMs: 50, requestTimeoutMs: 50 }));
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
    stream_plugins: {},
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

test('answers anything else with 404 in JSON', async () => {
  const response = await fetch(`${await open()}/v0/schema`);

  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({ error_msg: 'not found' });
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
      hasResource: () => false,
      prefix: '/apisix',
    }),
  ).rejects.toMatchObject({
    code: 'LISTENER_PORT_IN_USE',
    message: expect.stringContaining(`the Control API (apisix.control) cannot listen on 127.0.0.1:${port}`),
  });
});
