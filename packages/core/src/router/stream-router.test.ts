import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCidr, parseIp } from '../address/ip.ts';
import type { Cidr } from '../address/ip.ts';
import { RouteExplanation } from './explain.ts';
import type { ExplainedRoutes } from './explain.ts';
import type { StreamFacts } from './stream-facts.ts';
import type { StreamMatch } from './stream-match.ts';
import { StreamRouter } from './stream-router.ts';

interface Conditions {
  readonly priority?: number;
  readonly serverNames?: readonly string[];
  readonly alpn?: readonly string[];
  readonly serverPort?: number;
  readonly serverAddr?: string;
  readonly remoteAddr?: string;
}

function route(id: string, conditions: Conditions = {}): StreamMatch {
  return {
    id,
    priority: conditions.priority ?? 0,
    serverNames: conditions.serverNames ?? [],
    alpn: conditions.alpn ?? [],
    serverPort: conditions.serverPort,
    serverAddr: cidr(conditions.serverAddr),
    remoteAddr: cidr(conditions.remoteAddr),
  };
}

function cidr(text: string | undefined): Cidr | undefined {
  return text === undefined ? undefined : parseCidr(text);
}

function session(facts: Partial<StreamFacts> = {}): StreamFacts {
  const plain = { serverPort: 9100, serverAddress: '192.0.2.10', remoteAddress: '198.51.100.7' };
  return { ...plain, serverName: undefined, ...facts };
}

function routerOf(...routes: StreamMatch[]): StreamRouter<StreamMatch> {
  const router = new StreamRouter<StreamMatch>();
  for (const each of routes) router.set(each);
  return router;
}

function explain(
  router: StreamRouter<StreamMatch>,
  facts: StreamFacts,
  limit?: number,
): ExplainedRoutes<StreamMatch> {
  const explanation = new RouteExplanation<StreamMatch>(facts, limit);
  for (const each of router.routes()) explanation.add(each);
  return explanation.finish();
}

describe('a session', () => {
  test('without any route matches none', () => {
    expect(routerOf().match(session())).toBeUndefined();
  });

  test.for([
    [{}, true],
    [{ serverPort: 9100 }, true],
    [{ serverPort: 2000 }, false],
    [{ serverAddr: '192.0.2.10' }, true],
    [{ serverAddr: '192.0.2.0/24' }, true],
    [{ serverAddr: '192.0.3.0/24' }, false],
    [{ remoteAddr: '198.51.100.7' }, true],
    [{ remoteAddr: '0.0.0.0/0' }, true],
    [{ remoteAddr: '::/0' }, false],
    [{ serverPort: 9100, serverAddr: '192.0.2.10', remoteAddr: '198.51.100.0/24' }, true],
    [{ serverPort: 9100, serverAddr: '192.0.2.10', remoteAddr: '198.51.101.0/24' }, false],
  ] as const)('against the conditions %j matches: %s', ([conditions, matches]) => {
    const router = routerOf(route('only', conditions));

    expect(router.match(session())?.id).toBe(matches ? 'only' : undefined);
  });

  test('over IPv6 matches IPv6 prefixes, and an IPv4 client of an IPv6 socket the IPv4 ones', () => {
    const router = routerOf(
      route('six', { remoteAddr: '2001:db8::/32' }),
      route('four', { remoteAddr: '198.51.100.0/24' }),
    );

    expect(router.match(session({ remoteAddress: '2001:db8::5' }))?.id).toBe('six');
    expect(router.match(session({ remoteAddress: '::ffff:198.51.100.7' }))?.id).toBe('four');
  });

  test('without address and name conditions does not ask for its addresses and name', () => {
    const router = routerOf(route('by-port', { serverPort: 9100 }), route('any'));
    const facts = {
      get serverName(): string {
        throw new Error('asked for the server name');
      },
      serverPort: 9100,
      get serverAddress(): string {
        throw new Error('asked for the server address');
      },
      get remoteAddress(): string {
        throw new Error('asked for the remote address');
      },
    };

    expect(router.match(facts)?.id).toBe('by-port');
  });
});

describe('a session that asks for a name', () => {
  test.for([
    ['db.example.com', 'db.example.com', true],
    ['db.example.com', 'DB.Example.Com.', true],
    ['DB.EXAMPLE.COM.', 'db.example.com', true],
    ['db.example.com', 'x.db.example.com', false],
    ['*.example.com', 'db.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.Example.com.', 'A.B.EXAMPLE.com.', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'anexample.com', false],
    ['*ample.com', 'example.com', true],
    ['*ample.com', 'a.sample.com', true],
    ['*ample.com', 'ample.com', true],
    ['*ample.com', 'ple.com', false],
    ['*example.com', 'a.example.com', true],
    ['*', 'localhost', true],
    ['*', 'a.b.c', true],
    ['*.com', 'com', false],
    ['db*.example.com', 'db1.example.com', false],
  ] as const)('against sni %s matches as %s: %s', ([pattern, serverName, matches]) => {
    const router = routerOf(route('only', { serverNames: [pattern] }));

    expect(router.match(session({ serverName }))?.id).toBe(matches ? 'only' : undefined);
  });

  test('takes a route without sni when no name fits', () => {
    const router = routerOf(route('named', { serverNames: ['a.test'] }), route('any'));

    expect(router.match(session({ serverName: 'b.test' }))?.id).toBe('any');
  });

  test('goes on to the shorter wildcard when the addresses of the longer one do not hold', () => {
    const router = routerOf(
      route('exact', { serverNames: ['a.b.test'], remoteAddr: '10.0.0.0/8' }),
      route('long', { serverNames: ['*.b.test'], serverPort: 1 }),
      route('short', { serverNames: ['*.test'] }),
    );

    expect(router.match(session({ serverName: 'a.b.test' }))?.id).toBe('short');
  });

  test('is served by a route with several names under each of them', () => {
    const router = routerOf(route('many', { serverNames: ['a.test', '*.b.test', 'A.TEST.'] }));

    expect(router.match(session({ serverName: 'a.test' }))?.id).toBe('many');
    expect(router.match(session({ serverName: 'x.b.test' }))?.id).toBe('many');
    expect(router.match(session({ serverName: 'c.test' }))).toBeUndefined();
    router.delete('many');
    expect(router.match(session({ serverName: 'a.test' }))).toBeUndefined();
  });
});

test('a session without a name never takes a route with sni, not even *', () => {
  const router = routerOf(route('star', { serverNames: ['*'], priority: 9 }), route('plain'));

  expect(router.match(session())?.id).toBe('plain');
});

describe('application protocols', () => {
  test('match a client that offers one of them', () => {
    const router = routerOf(route('r', { alpn: ['h2', 'mqtt', 'h2'] }));

    expect(router.match(session({ alpn: ['http/1.1', 'mqtt'] }))?.id).toBe('r');
    expect(router.match(session({ alpn: ['H2'] }))).toBeUndefined();
    expect(router.match(session({ alpn: [] }))).toBeUndefined();
    expect(router.match(session())).toBeUndefined();
    expect(router.delete('r')).toBe(true);
    expect(router.match(session({ alpn: ['h2'] }))).toBeUndefined();
  });

  test('that two routes share, with all else, are reported', () => {
    const router = routerOf(route('b', { alpn: ['h2', 'mqtt'] }));

    expect(router.set(route('a', { alpn: ['mqtt'] }))?.id).toBe('b');
    expect(router.set(route('c', { alpn: ['http/1.1'] }))).toBeUndefined();
  });
});

describe('of two matching routes', () => {
  test.for([
    ['the higher priority', { priority: 1 }, { serverPort: 9100, serverNames: ['a.b.test'] }],
    ['the exact name', { serverNames: ['a.b.test'] }, { serverNames: ['*.b.test'], serverPort: 9100 }],
    ['the longer wildcard', { serverNames: ['*.b.test'] }, { serverNames: ['*.test'], serverPort: 9100 }],
    ['a wildcard at a dot', { serverNames: ['*.b.test'] }, { serverNames: ['*b.test'] }],
    ['a wildcard inside a label', { serverNames: ['*b.test'] }, { serverNames: ['*.test'] }],
    ['any wildcard but the bare one', { serverNames: ['*t'] }, { serverNames: ['*'] }],
    ['the one with a name', { serverNames: ['*'] }, { serverPort: 9100, serverAddr: '192.0.2.10' }],
    ['the better of several names', { serverNames: ['*', 'a.b.test'] }, { serverNames: ['*.b.test'] }],
    ['the one with a name before one with a protocol', { serverNames: ['*'] }, { alpn: ['h2'] }],
    ['the protocol that the client prefers', { alpn: ['x', 'h2'] }, { alpn: ['mqtt'], serverPort: 9100 }],
    ['the one with a protocol', { alpn: ['mqtt'] }, { serverPort: 9100 }],
    ['the one with a port', { serverPort: 9100 }, { serverAddr: '192.0.2.10', remoteAddr: '198.51.100.7' }],
    ['the longer server address', { serverAddr: '192.0.2.0/24' }, { serverAddr: '192.0.0.0/16' }],
    ['a server address before a client address', { serverAddr: '0.0.0.0/0' }, { remoteAddr: '198.51.100.7' }],
    ['the longer client address', { remoteAddr: '198.51.100.7' }, { remoteAddr: '198.51.100.0/24' }],
    ['the one with conditions', { remoteAddr: '0.0.0.0/0' }, {}],
    ['a priority of 0 before a negative one', {}, { priority: -1, serverPort: 9100 }],
  ] as const)('%s wins, whichever came first', ([, winner, loser]) => {
    const better = route('z-winner', winner);
    const worse = route('a-loser', loser);

    for (const router of [routerOf(better, worse), routerOf(worse, better)]) {
      const facts = session({ serverName: 'a.b.test', alpn: ['h2', 'mqtt'] });

      expect(router.match(facts)?.id).toBe('z-winner');
      expect(explain(router, facts).verdicts.map(({ kind }) => kind)).toEqual(['wins', 'loses']);
    }
  });

  test('that tie on everything else the lower id wins, and the tie is reported once', () => {
    const router = new StreamRouter<StreamMatch>();

    expect(router.set(route('b'))).toBeUndefined();
    expect(router.set(route('a'))?.id).toBe('b');
    expect(router.match(session())?.id).toBe('a');
  });

  test('that share one name of several, and all else, are reported', () => {
    const router = new StreamRouter<StreamMatch>();
    router.set(route('b', { serverNames: ['x.test', 'y.test'] }));

    expect(router.set(route('a', { serverNames: ['Y.test.', 'z.test'] }))?.id).toBe('b');
    expect(router.set(route('c', { serverNames: ['*.test'] }))).toBeUndefined();
  });
});

test('explain tells the matching routes in order, what decided, and what does not hold of the others', () => {
  const router = routerOf(
    route('id', {
      serverNames: ['a.test'],
      serverPort: 9100,
      serverAddr: '192.0.2.0/24',
      remoteAddr: '::/0',
    }),
    route('2-same', { serverNames: ['a.test'], serverPort: 9100 }),
    route('1-winner', { serverNames: ['a.test'], serverPort: 9100 }),
    route('remote', {
      serverNames: ['b.test'],
      serverPort: 1,
      serverAddr: '10.0.0.0/8',
      remoteAddr: '10.0.0.1',
    }),
    route('wildcard', { serverNames: ['*.test'], serverPort: 9100 }),
    route('any-port', { serverNames: ['a.test'], remoteAddr: '198.51.100.7' }),
    route('low', { serverNames: ['a.test'], serverPort: 9100, priority: -1 }),
  );
  const facts = session({ serverName: 'A.test' });

  const told = explain(router, facts).verdicts.map(({ route: { id }, ...verdict }) => [id, verdict]);

  expect(told).toEqual([
    ['1-winner', { kind: 'wins' }],
    ['2-same', { kind: 'loses', by: 'id' }],
    ['any-port', { kind: 'loses', by: 'serverPort' }],
    ['wildcard', { kind: 'loses', by: 'serverName' }],
    ['low', { kind: 'loses', by: 'priority' }],
    ['id', { kind: 'misses', on: ['remoteAddr'] }],
    ['remote', { kind: 'misses', on: ['serverName', 'serverPort', 'serverAddr', 'remoteAddr'] }],
  ]);
  expect(explain(router, session({ serverName: undefined })).verdicts[0]?.kind).toBe('misses');
});

test('an explanation of many routes keeps as many as asked for, the nearest to a match first', () => {
  const router = routerOf(
    route('far', { serverPort: 1, remoteAddr: '10.0.0.1', priority: 9 }),
    ...Array.from({ length: 500 }, (_, index) => route(`near-${1000 + index}`, { serverPort: 2 })),
    route('loser', { priority: -1 }),
    route('winner'),
  );

  const { verdicts, matching, missing } = explain(router, session(), 4);

  expect(verdicts.map(({ kind, route: { id } }) => [kind, id])).toEqual([
    ['wins', 'winner'],
    ['loses', 'loser'],
    ['misses', 'near-1000'],
    ['misses', 'near-1001'],
  ]);
  expect([matching, missing]).toEqual([2, 501]);
});

describe('a change', () => {
  test('of a route moves it to its new conditions', () => {
    const router = routerOf(route('r', { serverPort: 9100 }));

    router.set(route('r', { serverPort: 2000 }));

    expect(router.match(session())).toBeUndefined();
    expect(router.match(session({ serverPort: 2000 }))?.id).toBe('r');
    expect(router.size).toBe(1);
  });

  test('that deletes the winner lets the next one serve', () => {
    const router = routerOf(route('a', { serverPort: 9100 }), route('b'));

    expect(router.delete('a')).toBe(true);
    expect(router.delete('a')).toBe(false);
    expect(router.match(session())?.id).toBe('b');
  });
});

test('the index finds what comparing every route finds, through any sequence of changes', () => {
  const prefixes = [
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.1.0/24',
    '10.1.1.1',
    '0.0.0.0/0',
    '2001:db8::/32',
    '2001:db8::1',
  ];
  const addresses = ['10.1.1.1', '10.1.2.1', '10.2.0.1', '192.0.2.1', '2001:db8::1', '2001:db9::1'];
  const patterns = [
    'a.b.test',
    'B.test',
    '*.b.test',
    '*.test',
    '*test',
    '*est',
    '*b.test',
    '*',
    '*.a.b.test',
  ];
  const names = ['a.b.test', 'b.test', 'x.A.b.test.', 'ab.test', 'test', 'est', undefined];
  const change = fc.record(
    {
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      remove: fc.boolean(),
      priority: fc.integer({ min: -1, max: 1 }),
      serverNames: fc.array(fc.constantFrom(...patterns), { maxLength: 3 }),
      alpn: fc.array(fc.constantFrom('h2', 'mqtt', 'x'), { maxLength: 2 }),
      serverPort: fc.constantFrom(1, 2),
      serverAddr: fc.constantFrom(...prefixes),
      remoteAddr: fc.constantFrom(...prefixes),
    },
    { requiredKeys: ['id', 'remove'] },
  );
  const facts = fc.record({
    serverPort: fc.constantFrom(1, 2, 3),
    serverAddress: fc.constantFrom(...addresses),
    remoteAddress: fc.constantFrom(...addresses),
    serverName: fc.constantFrom(...names),
    alpn: fc.constantFrom([], ['h2'], ['mqtt', 'h2'], ['other'], undefined),
  });

  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 20 }),
      fc.array(facts, { minLength: 1 }),
      (changes, sessions) => {
        const router = new StreamRouter<StreamMatch>();
        const all = new Map<string, StreamMatch>();
        for (const { id, remove, ...conditions } of changes) {
          if (remove) {
            expect(router.delete(id)).toBe(all.delete(id));
          } else {
            router.set(route(id, conditions));
            all.set(id, route(id, conditions));
          }
        }

        for (const each of sessions) {
          const best = bestOf([...all.values()], each);
          expect(router.match(each)?.id).toBe(best?.id);
          const { verdicts } = explain(router, each);
          expect(verdicts.length).toBe(all.size);
          expect(verdicts.find(({ kind }) => kind === 'wins')?.route.id).toBe(best?.id);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

/** The rule of DESIGN section 5, read out literally. */
function bestOf(routes: readonly StreamMatch[], facts: StreamFacts): StreamMatch | undefined {
  const rank = (each: StreamMatch): readonly number[] => [
    each.priority,
    nameRank(each.serverNames, facts.serverName) ?? 0,
    protocolRank(each.alpn, facts.alpn ?? []) ?? 0,
    each.serverPort === undefined ? 0 : 1,
    each.serverAddr?.prefixLength ?? -1,
    each.remoteAddr?.prefixLength ?? -1,
  ];
  return routes
    .filter(
      (each) =>
        nameRank(each.serverNames, facts.serverName) !== undefined &&
        protocolRank(each.alpn, facts.alpn ?? []) !== undefined &&
        (each.serverPort === undefined || each.serverPort === facts.serverPort) &&
        contains(each.serverAddr, facts.serverAddress) &&
        contains(each.remoteAddr, facts.remoteAddress),
    )
    .sort((a, b) => {
      const [left, right] = [rank(a), rank(b)];
      const differing = left.findIndex((value, index) => value !== right[index]);
      if (differing === -1) return a.id < b.id ? -1 : 1;
      return (right[differing] ?? 0) - (left[differing] ?? 0);
    })[0];
}

/** 0 without a condition, more for a longer wildcard, most for the name itself, undefined when none fits. */
function nameRank(patterns: readonly string[], serverName: string | undefined): number | undefined {
  if (patterns.length === 0) return 0;
  if (serverName === undefined) return undefined;
  const clean = (text: string): string => text.toLowerCase().replace(/\.$/, '');
  const name = clean(serverName);
  const ranks = patterns.map(clean).map((pattern) => {
    if (pattern === name) return 1000;
    return pattern.startsWith('*') && name.endsWith(pattern.slice(1)) ? pattern.length : 0;
  });
  return Math.max(...ranks) || undefined;
}

/** 0 without a condition, more for a protocol that the client names earlier, undefined when none is offered. */
function protocolRank(wanted: readonly string[], offered: readonly string[]): number | undefined {
  if (wanted.length === 0) return 0;
  return Math.max(...wanted.map((protocol) => offered.toReversed().indexOf(protocol) + 1)) || undefined;
}

function contains(prefix: Cidr | undefined, address: string): boolean {
  if (prefix === undefined) return true;
  const ip = parseIp(address);
  if (ip?.family === 4 && prefix.family === 4)
    return sharesBits(BigInt(ip.bits), BigInt(prefix.bits), 32, prefix);
  if (ip?.family === 6 && prefix.family === 6) return sharesBits(ip.bits, prefix.bits, 128, prefix);
  return false;
}

function sharesBits(address: bigint, prefix: bigint, width: number, { prefixLength }: Cidr): boolean {
  const hostBits = BigInt(width - prefixLength);
  return address >> hostBits === prefix >> hostBits;
}
