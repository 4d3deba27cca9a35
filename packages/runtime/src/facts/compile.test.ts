import { checkResource, serviceKind, streamRouteKind, upstreamKind } from '@apisix-ts/config';
import type { Document, ResourceKind } from '@apisix-ts/config';
import { describe, expect, test } from 'vitest';
import {
  compileRoute,
  compileService,
  compileUpstream,
  namesOf,
  upstreamFault,
  upstreamShortcoming,
} from './compile.ts';
import type { NodeAddresses } from './compile.ts';

/** The document as the snapshot hands it out: checked, with defaults. */
function checked<D extends Document>(kind: ResourceKind<D>, document: Document): D {
  const result = checkResource(kind, document, {
    plugins: new Map(),
    streamPlugins: new Map(),
    balancers: new Set(['roundrobin']),
    isStored: true,
  });
  if (!result.ok) throw new Error(result.message);
  return result.document;
}

const nodes = { '192.0.2.1:3306': 1 };

describe('the upstream of a route', () => {
  test.for([
    ['upstream_id', { upstream_id: '7' }, { upstreamKey: 'upstreams/7' }],
    ['a number as upstream_id', { upstream_id: 7 }, { upstreamKey: 'upstreams/7' }],
    ['its own upstream', { upstream: { nodes } }, { upstreamKey: 'stream_routes/r' }],
    ['upstream_id before its own', { upstream_id: 'u', upstream: { nodes } }, { upstreamKey: 'upstreams/u' }],
    ['the service', { service_id: 's' }, { serviceId: 's' }],
    [
      'its own before the service',
      { service_id: 's', upstream: { nodes } },
      { upstreamKey: 'stream_routes/r', serviceId: 's' },
    ],
    ['none', {}, {}],
  ] as const)('is %s', ([, document, expected]) => {
    expect(compileRoute('r', checked(streamRouteKind, document))).toEqual({
      id: 'r',
      priority: 0,
      ...expected,
    });
  });

  test('stands in the service by id or embedded', () => {
    expect(compileService('s', checked(serviceKind, { upstream_id: 'u' }))).toEqual({
      upstreamKey: 'upstreams/u',
    });
    expect(compileService('s', checked(serviceKind, { upstream: { nodes } }))).toEqual({
      upstreamKey: 'services/s',
    });
    expect(compileService('s', checked(serviceKind, { upstream_id: 'u', upstream: { nodes } }))).toEqual({
      upstreamKey: 'services/s',
    });
    expect(compileService('s', checked(serviceKind, {}))).toEqual({});
  });
});

test.for([
  [{ upload_rate: 2048 }, { upload: 2048 }],
  [{ download_rate: 4096 }, { download: 4096 }],
  [
    { upload_rate: 2048, download_rate: 4096 },
    { upload: 2048, download: 4096 },
  ],
] as const)('a route with %j limits its sessions', ([fields, rates]) => {
  expect(compileRoute('r', checked(streamRouteKind, fields)).rates).toEqual(rates);
});

test('the conditions of a route are taken over', () => {
  const route = {
    priority: 3,
    sni: 'A.test',
    snis: ['*.b.test'],
    server_port: 9100,
    server_addr: '192.0.2.0/24',
    remote_addr: '::1',
  };

  expect(compileRoute('r', checked(streamRouteKind, route))).toEqual({
    id: 'r',
    priority: 3,
    serverNames: ['A.test', '*.b.test'],
    serverPort: 9100,
    serverAddr: '192.0.2.0/24',
    remoteAddr: '::1',
  });
});

/** Slots in order. */
const assignSlots: Parameters<typeof compileUpstream>[2] = (given) =>
  given.map((each, slot) => ({ ...each, slot }));

describe('an upstream', () => {
  const endpoint = { host: 'db', address: '192.0.2.9', port: 3306, weight: 2, priority: -1 };
  const addresses: NodeAddresses = {
    ofHost: (name) => (name === 'mysql' ? ['192.0.2.7', '192.0.2.8'] : []),
    ofService: (name) => (name === 'db:3306' ? [endpoint] : []),
  };
  const dns = new Set(['dns']);

  test('has a node for each address of a name, sharing its weight', () => {
    const upstream = checked(upstreamKind, { nodes: { 'mysql:3306': 3, '192.0.2.1:3307': 1 } });

    expect(compileUpstream(upstream, addresses, assignSlots, undefined).nodes).toEqual([
      { host: 'mysql', address: '192.0.2.7', port: 3306, weight: 1.5, priority: 0, slot: 0 },
      { host: 'mysql', address: '192.0.2.8', port: 3306, weight: 1.5, priority: 0, slot: 1 },
      { host: '192.0.2.1', address: '192.0.2.1', port: 3307, weight: 1, priority: 0, slot: 2 },
    ]);
  });

  test('with a discovery has the nodes of its service', () => {
    const upstream = checked(upstreamKind, { service_name: 'db:3306', discovery_type: 'dns' });

    expect(compileUpstream(upstream, addresses, assignSlots, undefined).nodes).toEqual([
      { ...endpoint, slot: 0 },
    ]);
    expect(upstreamFault(upstream, dns)).toBeUndefined();
    expect(namesOf(upstream, dns)).toEqual({ host: new Set(), service: new Set(['db:3306']) });
  });

  test('has a unix socket as it stands, as localhost', () => {
    const upstream = checked(upstreamKind, { nodes: { 'unix:/run/db.sock': 2 } });

    expect(compileUpstream(upstream, addresses, assignSlots, undefined).nodes).toEqual([
      { host: 'localhost', address: 'unix:/run/db.sock', port: 0, weight: 2, priority: 0, slot: 0 },
    ]);
    expect(upstreamFault(upstream, dns)).toBeUndefined();
    expect(namesOf(upstream, dns).host).toEqual(new Set());
  });

  test('leaves out a name without an address', () => {
    const upstream = checked(upstreamKind, { nodes: { 'absent:3306': 1 } });

    expect(compileUpstream(upstream, addresses, assignSlots, undefined).nodes).toEqual([]);
  });

  test('without a timeout waits 60 s for a connection and 600 s for a byte', () => {
    expect(
      compileUpstream(checked(upstreamKind, { nodes }), addresses, assignSlots, undefined),
    ).toMatchObject({ connectTimeoutMs: 60_000, idleTimeoutMs: 600_000 });
  });

  test('says nothing of defaults that nearly all upstreams have', () => {
    const facts = compileUpstream(checked(upstreamKind, { nodes }), addresses, assignSlots, undefined);

    expect(Object.keys(facts)).toEqual(['type', 'nodes', 'connectTimeoutMs', 'idleTimeoutMs']);
  });

  test('is hashed only by a balancer that hashes', () => {
    const document = checked(upstreamKind, { type: 'chash', key: 'server_addr', nodes });

    expect(compileUpstream(document, addresses, assignSlots, undefined).hash).toEqual({
      on: 'vars',
      key: 'server_addr',
    });
  });

  test('lets sessions wait for a full node for 10 s', () => {
    const limited = { nodes, node_max_connections: 5, queue: { length: 3 } };

    expect(compileUpstream(checked(upstreamKind, limited), addresses, assignSlots, undefined)).toMatchObject({
      nodeMaxConnections: 5,
      queue: { length: 3, timeoutMs: 10_000 },
    });
  });

  test('lets a session get old, by a tenth less at random', () => {
    const aging = { nodes, max_session_age: 60 };

    expect(
      compileUpstream(checked(upstreamKind, aging), addresses, assignSlots, undefined).sessionAge,
    ).toEqual({ mostMs: 60_000, jitter: 0.1 });
  });

  test('is idle after the longer of send and read', () => {
    const timeout = { connect: 0.5, send: 3, read: 2 };

    expect(
      compileUpstream(checked(upstreamKind, { nodes, timeout }), addresses, assignSlots, undefined),
    ).toMatchObject({
      connectTimeoutMs: 500,
      idleTimeoutMs: 3000,
    });
  });

  test('is the same after its way to a worker as JSON, however long its time-outs', () => {
    const endless = { connect: Number.MAX_VALUE, send: Number.MAX_VALUE, read: Number.MAX_VALUE };
    const document = checked(upstreamKind, { nodes, timeout: endless, retry_timeout: Number.MAX_VALUE });

    const facts = compileUpstream(document, addresses, assignSlots, undefined);

    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
    expect(facts).toMatchObject({
      connectTimeoutMs: Number.MAX_VALUE,
      idleTimeoutMs: Number.MAX_VALUE,
      retryTimeoutMs: Number.MAX_VALUE,
    });
  });

  test.for([
    [{ service_name: 'db:3306', discovery_type: 'nacos' }, dns, /"nacos" is not available, only "dns" is/],
    [{ service_name: 'a', discovery_type: 'dns' }, new Set<string>(), /takes discovery.dns in config.yaml/],
    [{ nodes: [{ host: '192.0.2.1', weight: 1 }] }, dns, /node "192.0.2.1" has no port/],
  ] as const)('that cannot serve, %j, has no such nodes and says why', ([document, discoveries, fault]) => {
    const upstream = checked(upstreamKind, document);

    expect(compileUpstream(upstream, addresses, assignSlots, undefined).nodes).toEqual([]);
    expect(upstreamFault(upstream, discoveries)).toMatch(fault);
    expect(namesOf(upstream, discoveries).service).toEqual(new Set());
  });

  test('with a balancer that does not exist serves in turn and says so', () => {
    expect(upstreamShortcoming(checked(upstreamKind, { nodes, type: 'absent' }))).toMatch(
      /"absent" is not available/,
    );
    expect(upstreamShortcoming(checked(upstreamKind, { nodes }))).toBeUndefined();
  });

  test('that can serve has no fault', () => {
    expect(upstreamFault(checked(upstreamKind, { nodes, scheme: 'tcp' }), dns)).toBeUndefined();
  });

  test('names each host name among its nodes once', () => {
    const upstream = checked(upstreamKind, {
      nodes: { 'mysql:1': 1, 'mysql:2': 1, '192.0.2.1:1': 1, '[::1]:1': 1 },
    });

    expect(namesOf(upstream, dns)).toEqual({ host: new Set(['mysql']), service: new Set() });
  });
});
