import type { DocumentChange } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import type { Endpoint } from '@apisix-ts/discovery';
import { describe, expect, test } from 'vitest';
import { Names, openFactScene, readFacts, upstreamOf } from '../testing/fact-scene.ts';

describe('names', () => {
  test('of kinds that do not serve connections are not followed', () => {
    const { names, compiler, logged } = openFactScene();
    const change = { kind: 'routes', id: 'r', document: { upstream: upstreamOf('a.test'), sni: 'a.test' } };

    void compiler.adopt([change]);

    expect(names.users).toEqual(new Map());
    expect(logged).toEqual([]);
    expect([...compiler.compile([change])]).toEqual([]);
  });

  test('are followed while an upstream uses them, wherever it stands', () => {
    const { names, compiler } = openFactScene();

    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document: upstreamOf('a.test', 'b.test') },
      { kind: 'stream_routes', id: 'r', document: { upstream: upstreamOf('b.test') } },
      { kind: 'services', id: 's', document: { upstream: upstreamOf('c.test') } },
    ]);
    expect(names.users).toEqual(
      new Map([
        ['a.test', 1],
        ['b.test', 2],
        ['c.test', 1],
      ]),
    );

    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document: upstreamOf('b.test') },
      { kind: 'stream_routes', id: 'r', document: {} },
      { kind: 'services', id: 's', document: undefined },
    ]);
    expect(names.users).toEqual(new Map([['b.test', 1]]));
  });

  test('are waited for only when they are new', () => {
    const { compiler } = openFactScene();
    const change: DocumentChange = { kind: 'upstreams', id: 'u', document: upstreamOf('a.test') };

    expect(compiler.adopt([change])).toBeInstanceOf(Promise);
    expect(compiler.adopt([change])).toBeUndefined();
  });

  test('that move from one upstream to another in one change are never let go', () => {
    const { compiler, names } = openFactScene();
    void compiler.adopt([{ kind: 'upstreams', id: 'old', document: upstreamOf('db.test') }]);
    let least = Infinity;
    const unfollow = names.unfollow.bind(names);
    names.unfollow = (name) => {
      unfollow(name);
      least = Math.min(least, names.users.get(name) ?? 0);
    };

    void compiler.adopt([
      { kind: 'upstreams', id: 'old', document: undefined },
      { kind: 'upstreams', id: 'new', document: upstreamOf('db.test') },
    ]);

    expect(least).toBe(1);
  });

  test('that change bring new facts for exactly their users', () => {
    const { names, compiler } = openFactScene();
    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document: upstreamOf('a.test') },
      { kind: 'upstreams', id: 'other', document: upstreamOf('b.test') },
    ]);
    names.addresses.set('a.test', ['192.0.2.9']);

    expect(readFacts(compiler.compileUsersOf('host', 'a.test'))).toMatchObject([
      { kind: 'upstream', key: 'upstreams/u', facts: { nodes: [{ address: '192.0.2.9' }] } },
    ]);
  });
});

describe('services', () => {
  const document = { type: 'roundrobin', service_name: 'db.test', discovery_type: 'dns' };

  test('are followed while an upstream uses them, apart from hosts', () => {
    const services = new Names<Endpoint>();
    const { names, compiler } = openFactScene(services);

    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document },
      { kind: 'services', id: 's', document: { upstream: document } },
      { kind: 'stream_routes', id: 'r', document: { upstream: document } },
    ]);
    expect(services.users).toEqual(new Map([['db.test', 3]]));
    expect(names.users).toEqual(new Map());

    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document: upstreamOf('db.test') },
      { kind: 'services', id: 's', document: undefined },
    ]);
    expect(services.users).toEqual(new Map([['db.test', 1]]));
    expect(names.users).toEqual(new Map([['db.test', 1]]));
  });

  test('that change bring new nodes, and those that stay keep their slots', () => {
    const services = new Names<Endpoint>();
    const { compiler, slots } = openFactScene(services);
    const endpoint = { host: 'db.test', address: '192.0.2.9', port: 3306, weight: 1, priority: -1 };
    services.addresses.set('db.test', [endpoint]);
    const change: DocumentChange = { kind: 'upstreams', id: 'u', document };
    void compiler.adopt([change]);
    expect(readFacts(compiler.compile([change]))).toMatchObject([
      { facts: { nodes: [{ ...endpoint, slot: 0 }] } },
    ]);

    const first = { ...endpoint, address: '192.0.2.8' };
    services.addresses.set('db.test', [first, { ...endpoint, weight: 5, priority: -2 }]);

    expect(readFacts(compiler.compileUsersOf('service', 'db.test'))).toMatchObject([
      {
        key: 'upstreams/u',
        facts: {
          nodes: [
            { ...first, slot: 1 },
            { ...endpoint, weight: 5, priority: -2, slot: 0 },
          ],
        },
      },
    ]);
    expect(slots.nodes.size).toBe(2);
  });

  test('without a discovery in config.yaml are not followed, and that is logged', () => {
    const { compiler, logged } = openFactScene();
    const change: DocumentChange = { kind: 'upstreams', id: 'u', document };

    expect(compiler.adopt([change])).toBeUndefined();

    expect(logged).toEqual(['an upstream cannot serve']);
    expect(readFacts(compiler.compile([change]))).toMatchObject([{ facts: { nodes: [] } }]);
  });
});

describe('an embedded upstream', () => {
  test('is known by the place of its owner, and forgotten when the owner drops it', () => {
    const { compiler } = openFactScene();
    const compile = (document: DocumentChange['document']): unknown =>
      [...compiler.compile([{ kind: 'stream_routes', id: 'r', document }])].map(({ kind, key, facts }) => [
        kind,
        key,
        facts !== undefined,
      ]);

    expect(compile({ upstream: upstreamOf('192.0.2.1') })).toEqual([
      ['upstream', 'stream_routes/r', true],
      ['route', 'r', true],
    ]);
    expect(compile({ upstream_id: 'u' })).toEqual([
      ['upstream', 'stream_routes/r', false],
      ['route', 'r', true],
    ]);
    expect(compile(undefined)).toEqual([['route', 'r', false]]);
  });
});

describe('health', () => {
  test('is watched while an upstream has checks, wherever it stands', () => {
    const { watched, compiler } = openFactScene();
    const compile = (document: DocumentChange['document']): unknown => [
      ...compiler.compile([{ kind: 'stream_routes', id: 'r', document }]),
    ];
    const checks = { active: { type: 'tcp' } };

    compile({ upstream: { ...upstreamOf('192.0.2.1'), checks } });
    expect(watched.get('stream_routes/r')).toMatchObject({
      checks,
      nodes: [{ address: '192.0.2.1', port: 1 }],
    });

    compile({ upstream: upstreamOf('192.0.2.1') });
    expect(watched.size).toBe(0);
  });

  const checked: DocumentChange = {
    kind: 'upstreams',
    id: 'u',
    document: { ...upstreamOf('192.0.2.1'), checks: { active: { type: 'tcp' } } },
  };
  const route = (document: DocumentChange['document'], id = 'r'): DocumentChange => ({
    kind: 'stream_routes',
    id,
    document,
  });
  const service = (document: DocumentChange['document']): DocumentChange => ({
    kind: 'services',
    id: 's',
    document,
  });

  test('is watched while a stream route names the upstream, whichever of the two came first', () => {
    for (const order of [
      [checked, route({ upstream_id: 'u' })],
      [route({ upstream_id: 'u' }), checked],
    ]) {
      const { watched, compiler } = openFactScene();
      const counts = order.map((change) => {
        void [...compiler.compile([change])];
        return watched.size;
      });
      expect(counts).toEqual([0, 1]);

      void [...compiler.compile([route({}, 'other'), route(undefined)])];
      expect(watched.size).toBe(0);
    }
  });

  test('is watched while a service with the upstream has a stream route', () => {
    const { watched, compiler } = openFactScene();
    const after = (change: DocumentChange): readonly string[] => {
      void [...compiler.compile([change])];
      return [...watched.keys()];
    };
    void [...compiler.compile([checked])];

    expect(after(service({ upstream_id: 'u' }))).toEqual([]);
    expect(after(route({ service_id: 's' }))).toEqual(['upstreams/u']);
    expect(after(route({ service_id: 's' }, 'second'))).toEqual(['upstreams/u']);
    expect(after(service({ upstream: checked.document }))).toEqual(['services/s']);
    expect(after(service({ upstream_id: 'u' }))).toEqual(['upstreams/u']);
    expect(after(route(undefined, 'second'))).toEqual(['upstreams/u']);
    // Its own upstream is served instead of the service's.
    expect(after(route({ service_id: 's', upstream: upstreamOf('192.0.2.2') }))).toEqual([]);
    expect(after(route({ service_id: 's' }))).toEqual(['upstreams/u']);
    expect(after(service(undefined))).toEqual([]);
  });

  test('is not let go of when a use moves from one route to another in one change', () => {
    const { watched, unwatched, compiler } = openFactScene();
    void [...compiler.compile([checked, route({ upstream_id: 'u' })])];

    void [...compiler.compile([route(undefined), checked, route({ upstream_id: 'u' }, 'other')])];

    expect(unwatched).toEqual([]);
    expect([...watched.keys()]).toEqual(['upstreams/u']);
  });
});

describe('slots', () => {
  test('stay with the nodes that stay, and are given back for those that go', () => {
    const { slots, compiler } = openFactScene();
    const compile = (document: DocumentChange['document']): unknown => [
      ...compiler.compile([{ kind: 'upstreams', id: 'u', document }]),
    ];

    compile(upstreamOf('192.0.2.1', '192.0.2.2'));
    compile(upstreamOf('192.0.2.2', '192.0.2.3'));
    expect([...slots.nodes]).toEqual([
      'upstreams/u 192.0.2.2 192.0.2.2 1',
      'upstreams/u 192.0.2.3 192.0.2.3 1',
    ]);

    compile(undefined);
    expect(slots.nodes.size).toBe(0);
  });
});

test('a certificate and the upstream that names it may come in any order', () => {
  const { compiler, logged } = openFactScene();
  const client = { type: 'client', status: 1, ...testPairs.one };

  const facts = compiler.compile([
    {
      kind: 'upstreams',
      id: 'u',
      document: { ...upstreamOf('192.0.2.1'), scheme: 'tls', tls: { client_cert_id: 'mine' } },
    },
    { kind: 'ssls', id: 'mine', document: client },
  ]);

  expect(logged).toEqual([]);
  expect(readFacts(facts)).toMatchObject([
    { kind: 'certificate', key: 'mine' },
    { kind: 'upstream', key: 'upstreams/u', facts: { tls: { clientPair: testPairs.one } } },
  ]);
});

test('an upstream that cannot serve is logged when it appears', () => {
  const { compiler, logged } = openFactScene();

  void compiler.adopt([
    {
      kind: 'upstreams',
      id: 'u',
      document: { type: 'roundrobin', discovery_type: 'dns', service_name: 'db' },
    },
  ]);

  expect(logged).toEqual(['an upstream cannot serve']);
});
