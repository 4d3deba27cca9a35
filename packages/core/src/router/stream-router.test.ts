import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCidr, parseIp } from '../address/ip.ts';
import type { Cidr } from '../address/ip.ts';
import { StreamRouter } from './stream-router.ts';
import type { StreamFacts } from './stream-router.ts';
import type { StreamMatch } from './stream-match.ts';

interface Conditions {
  readonly priority?: number;
  readonly serverPort?: number;
  readonly serverAddr?: string;
  readonly remoteAddr?: string;
}

function route(id: string, conditions: Conditions = {}): StreamMatch {
  return {
    id,
    priority: conditions.priority ?? 0,
    serverPort: conditions.serverPort,
    serverAddr: cidr(conditions.serverAddr),
    remoteAddr: cidr(conditions.remoteAddr),
  };
}

function cidr(text: string | undefined): Cidr | undefined {
  return text === undefined ? undefined : parseCidr(text);
}

function session(facts: Partial<StreamFacts> = {}): StreamFacts {
  return { serverPort: 9100, serverAddress: '192.0.2.10', remoteAddress: '198.51.100.7', ...facts };
}

function routerOf(...routes: StreamMatch[]): StreamRouter<StreamMatch> {
  const router = new StreamRouter<StreamMatch>();
  for (const each of routes) router.set(each);
  return router;
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

  test('without address conditions does not ask for its addresses', () => {
    const router = routerOf(route('by-port', { serverPort: 9100 }), route('any'));
    const facts = {
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

describe('of two matching routes', () => {
  test.for([
    ['the higher priority', { priority: 1 }, { serverPort: 9100, serverAddr: '192.0.2.10' }],
    ['the one with a port', { serverPort: 9100 }, { serverAddr: '192.0.2.10', remoteAddr: '198.51.100.7' }],
    ['the longer server address', { serverAddr: '192.0.2.0/24' }, { serverAddr: '192.0.0.0/16' }],
    ['a server address before a client address', { serverAddr: '0.0.0.0/0' }, { remoteAddr: '198.51.100.7' }],
    ['the longer client address', { remoteAddr: '198.51.100.7' }, { remoteAddr: '198.51.100.0/24' }],
    ['the one with conditions', { remoteAddr: '0.0.0.0/0' }, {}],
    ['a priority of 0 before a negative one', {}, { priority: -1, serverPort: 9100 }],
  ] as const)('%s wins, whichever came first', ([, winner, loser]) => {
    const better = route('z-winner', winner);
    const worse = route('a-loser', loser);

    expect(routerOf(better, worse).match(session())?.id).toBe('z-winner');
    expect(routerOf(worse, better).match(session())?.id).toBe('z-winner');
  });

  test('that tie on everything else the lower id wins, and the tie is reported once', () => {
    const router = new StreamRouter<StreamMatch>();

    expect(router.set(route('b'))).toBeUndefined();
    expect(router.set(route('a'))?.id).toBe('b');
    expect(router.match(session())?.id).toBe('a');
  });
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
  const change = fc.record(
    {
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      remove: fc.boolean(),
      priority: fc.integer({ min: -1, max: 1 }),
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

        for (const each of sessions) expect(router.match(each)?.id).toBe(bestOf([...all.values()], each)?.id);
      },
    ),
    { numRuns: 500 },
  );
});

/** The rule of DESIGN section 5, read out literally. */
function bestOf(routes: readonly StreamMatch[], facts: StreamFacts): StreamMatch | undefined {
  const rank = (each: StreamMatch): readonly number[] => [
    each.priority,
    each.serverPort === undefined ? 0 : 1,
    each.serverAddr?.prefixLength ?? -1,
    each.remoteAddr?.prefixLength ?? -1,
  ];
  return routes
    .filter(
      (each) =>
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
