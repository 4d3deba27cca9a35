import type { DocumentChange } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import { describe, expect, test } from 'vitest';
import { FactCompiler } from './compiler.ts';
import type { UpstreamChecks } from '../health/checked-upstream.ts';
import type { HealthWatch } from './compiler.ts';
import type { NameSource } from './name-users.ts';
import type { SlotSource } from './node-slots.ts';
import { unreadSecrets } from './secret-users.ts';

/** Counts the users of names and knows the addresses it was given. */
class Names implements NameSource {
  readonly users = new Map<string, number>();
  readonly addresses = new Map<string, readonly string[]>();

  follow(name: string): Promise<void> {
    this.users.set(name, (this.users.get(name) ?? 0) + 1);
    return Promise.resolve();
  }

  unfollow(name: string): void {
    const left = (this.users.get(name) ?? 0) - 1;
    if (left === 0) this.users.delete(name);
    else this.users.set(name, left);
  }

  addressesOf(name: string): readonly string[] {
    return this.addresses.get(name) ?? [];
  }
}

/** Gives out slots and remembers which nodes have one. */
class Slots implements SlotSource {
  readonly nodes = new Set<string>();

  slotOf(node: string): number {
    return [...this.nodes.add(node)].indexOf(node);
  }

  release(node: string): void {
    this.nodes.delete(node);
  }
}

function setUp(): {
  slots: Slots;
  watched: ReadonlyMap<string, UpstreamChecks>;
  names: Names;
  compiler: FactCompiler;
  logged: string[];
} {
  const names = new Names();
  const slots = new Slots();
  const watched = new Map<string, UpstreamChecks>();
  const health: HealthWatch = {
    follow: (key, checks) => watched.set(key, checks),
    unfollow: (key) => watched.delete(key),
  };
  const logged: string[] = [];
  return {
    names,
    watched,
    slots,
    logged,
    compiler: new FactCompiler({
      names,
      onLateName: () => {},
      secrets: unreadSecrets,
      slots,
      health,
      certificates: { set() {}, delete() {} },
      keyring: [],
      log: (_level, message) => logged.push(message),
    }),
  };
}

function upstream(...hosts: string[]): DocumentChange['document'] {
  return { type: 'roundrobin', nodes: hosts.map((host) => ({ host, port: 1, weight: 1 })) };
}

describe('names', () => {
  test('of kinds that do not serve connections are not followed', () => {
    const { names, compiler, logged } = setUp();
    const change = { kind: 'routes', id: 'r', document: { upstream: upstream('a.test'), sni: 'a.test' } };

    void compiler.adopt([change]);

    expect(names.users).toEqual(new Map());
    expect(logged).toEqual([]);
    expect([...compiler.compile([change])]).toEqual([]);
  });

  test('are followed while an upstream uses them, wherever it stands', () => {
    const { names, compiler } = setUp();

    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document: upstream('a.test', 'b.test') },
      { kind: 'stream_routes', id: 'r', document: { upstream: upstream('b.test') } },
      { kind: 'services', id: 's', document: { upstream: upstream('c.test') } },
    ]);
    expect(names.users).toEqual(
      new Map([
        ['a.test', 1],
        ['b.test', 2],
        ['c.test', 1],
      ]),
    );

    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document: upstream('b.test') },
      { kind: 'stream_routes', id: 'r', document: {} },
      { kind: 'services', id: 's', document: undefined },
    ]);
    expect(names.users).toEqual(new Map([['b.test', 1]]));
  });

  test('are waited for only when they are new', () => {
    const { compiler } = setUp();
    const change: DocumentChange = { kind: 'upstreams', id: 'u', document: upstream('a.test') };

    expect(compiler.adopt([change])).toBeInstanceOf(Promise);
    expect(compiler.adopt([change])).toBeUndefined();
  });

  test('that move from one upstream to another in one change are never let go', () => {
    const { compiler, names } = setUp();
    void compiler.adopt([{ kind: 'upstreams', id: 'old', document: upstream('db.test') }]);
    let least = Infinity;
    const unfollow = names.unfollow.bind(names);
    names.unfollow = (name) => {
      unfollow(name);
      least = Math.min(least, names.users.get(name) ?? 0);
    };

    void compiler.adopt([
      { kind: 'upstreams', id: 'old', document: undefined },
      { kind: 'upstreams', id: 'new', document: upstream('db.test') },
    ]);

    expect(least).toBe(1);
  });

  test('that change bring new facts for exactly their users', () => {
    const { names, compiler } = setUp();
    void compiler.adopt([
      { kind: 'upstreams', id: 'u', document: upstream('a.test') },
      { kind: 'upstreams', id: 'other', document: upstream('b.test') },
    ]);
    names.addresses.set('a.test', ['192.0.2.9']);

    expect(compiler.compileUsersOf('a.test')).toMatchObject([
      { kind: 'upstream', key: 'upstreams/u', facts: { nodes: [{ address: '192.0.2.9' }] } },
    ]);
  });
});

describe('an embedded upstream', () => {
  test('is known by the place of its owner, and forgotten when the owner drops it', () => {
    const { compiler } = setUp();
    const compile = (document: DocumentChange['document']): unknown =>
      [...compiler.compile([{ kind: 'stream_routes', id: 'r', document }])].map(({ kind, key, facts }) => [
        kind,
        key,
        facts !== undefined,
      ]);

    expect(compile({ upstream: upstream('192.0.2.1') })).toEqual([
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
    const { watched, compiler } = setUp();
    const compile = (document: DocumentChange['document']): unknown => [
      ...compiler.compile([{ kind: 'stream_routes', id: 'r', document }]),
    ];
    const checks = { active: { type: 'tcp' } };

    compile({ upstream: { ...upstream('192.0.2.1'), checks } });
    expect(watched.get('stream_routes/r')).toMatchObject({
      checks,
      nodes: [{ address: '192.0.2.1', port: 1 }],
    });

    compile({ upstream: upstream('192.0.2.1') });
    expect(watched.size).toBe(0);
  });
});

describe('slots', () => {
  test('stay with the nodes that stay, and are given back for those that go', () => {
    const { slots, compiler } = setUp();
    const compile = (document: DocumentChange['document']): unknown => [
      ...compiler.compile([{ kind: 'upstreams', id: 'u', document }]),
    ];

    compile(upstream('192.0.2.1', '192.0.2.2'));
    compile(upstream('192.0.2.2', '192.0.2.3'));
    expect([...slots.nodes]).toEqual([
      'upstreams/u 192.0.2.2 192.0.2.2 1',
      'upstreams/u 192.0.2.3 192.0.2.3 1',
    ]);

    compile(undefined);
    expect(slots.nodes.size).toBe(0);
  });
});

test('a certificate and the upstream that names it may come in any order', () => {
  const { compiler, logged } = setUp();
  const client = { type: 'client', status: 1, ...testPairs.one };

  const facts = compiler.compile([
    {
      kind: 'upstreams',
      id: 'u',
      document: { ...upstream('192.0.2.1'), scheme: 'tls', tls: { client_cert_id: 'mine' } },
    },
    { kind: 'ssls', id: 'mine', document: client },
  ]);

  expect(logged).toEqual([]);
  expect([...facts]).toMatchObject([
    { kind: 'certificate', key: 'mine' },
    { kind: 'upstream', key: 'upstreams/u', facts: { tls: { clientPair: testPairs.one } } },
  ]);
});

test('an upstream that cannot serve is logged when it appears', () => {
  const { compiler, logged } = setUp();

  void compiler.adopt([
    {
      kind: 'upstreams',
      id: 'u',
      document: { type: 'roundrobin', discovery_type: 'dns', service_name: 'db' },
    },
  ]);

  expect(logged).toEqual(['an upstream cannot serve']);
});
