import { expect, test } from 'vitest';
import { explanation } from './connection-explanation.ts';
import type { ConnectionFacts, RouteFacts } from './connection-facts.ts';
import { readQuestion } from './connection-question.ts';

const route = (
  id: string,
  verdict: RouteFacts['verdict'],
  conditions: Partial<RouteFacts> = {},
): RouteFacts => ({
  id,
  priority: 0,
  serverNames: [],
  alpn: [],
  verdict,
  ...conditions,
});

const facts: ConnectionFacts = {
  connection: {
    protocol: 'tcp',
    serverPort: 9100,
    serverAddress: '127.0.0.1',
    remoteAddress: '127.0.0.1',
  },
  listener: {
    name: '0.0.0.0:9100',
    heads: { proxyProtocol: false, tlsPassthrough: false, proxyProtocolToUpstream: 0 },
    limits: {},
  },
  isListenerDrained: false,
  tls: 'unread',
  verdicts: [],
  matching: 0,
  missing: 0,
  drained: [],
  plugins: [],
};

const question = { protocol: 'tcp', serverPort: 9100, limit: 20 } as const;

test.for([
  [{}, 'expected a port that is connected to, from 1 to 65535, as port, found none'],
  [{ port: '0' }, 'expected a port that is connected to, from 1 to 65535, as port, found 0'],
  [{ port: '65536' }, 'expected a port that is connected to, from 1 to 65535, as port, found 65536'],
  [{ port: '1e3' }, 'expected a port that is connected to, from 1 to 65535, as port, found 1e3'],
  [{ port: '1', to: 'db' }, 'expected an ip address as to, found db'],
  [{ port: '1', from: '10.0.0.0/8' }, 'expected an ip address as from, found 10.0.0.0/8'],
  [{ port: '1', limit: '1001' }, 'expected a number from 1 to 1000 as limit, found 1001'],
  [{ port: '1', protocol: 'sctp' }, 'expected tcp or udp as protocol, found sctp'],
  [{ port: '1', protocol: 'udp', sni: 'a' }, 'sni and alpn are for TLS, which UDP has not'],
  [{ port: ['1', '2'] }, 'the argument port was given more than once'],
  [{ port: '1', name: 'a' }, 'unknown argument name: expected port, to, from, sni, alpn, protocol, limit'],
] as const)('the arguments %j are refused: %s', ([query, problem]) => {
  expect(readQuestion(query)).toBe(problem);
});

test('arguments that are left out are left to the listener', () => {
  expect(readQuestion({ port: '9100' })).toEqual(question);
  expect(
    readQuestion({ port: '1', to: '[::1]', from: '10.0.0.1', sni: 'a.test', alpn: 'h2,mqtt', limit: '5' }),
  ).toEqual({
    protocol: 'tcp',
    serverPort: 1,
    serverAddress: '::1',
    remoteAddress: '10.0.0.1',
    serverName: 'a.test',
    alpn: ['h2', 'mqtt'],
    limit: 5,
  });
});

test('each route says why it does not take the connection', () => {
  const { route: winner, candidates } = explanation(
    question,
    {
      ...facts,
      verdicts: [
        route('1', { kind: 'wins' }, { serverPort: 9100 }),
        route('2', { kind: 'loses', by: 'serverPort' }),
        route(
          '3',
          { kind: 'misses', on: ['serverName', 'serverPort', 'remoteAddr'] },
          {
            serverNames: ['a.test', '*.b.test'],
            serverPort: 1,
            remoteAddr: '10.0.0.0/8',
          },
        ),
      ],
    },
    [],
  );

  expect(winner).toBe('1');
  expect(candidates).toEqual([
    { route: '1', priority: 0, conditions: { server_port: 9100 }, verdict: 'wins' },
    {
      route: '2',
      priority: 0,
      conditions: {},
      verdict: 'loses',
      because: ['server_port'],
      reason: 'the winner asks for the port',
    },
    {
      route: '3',
      priority: 0,
      conditions: { sni: ['a.test', '*.b.test'], server_port: 1, remote_addr: '10.0.0.0/8' },
      verdict: 'misses',
      because: ['sni', 'server_port', 'remote_addr'],
      reason:
        'sni is a.test or *.b.test, the connection has none; server_port is 1, the connection has 9100; ' +
        'remote_addr is 10.0.0.0/8, the connection has 127.0.0.1',
    },
  ]);
});

test('what was not asked is marked as assumed', () => {
  const named = { ...facts, connection: { ...facts.connection, serverName: 'fallback.test' } };

  expect(explanation(question, facts, []).assumed).toEqual(['to', 'from']);
  expect(explanation({ ...question, serverAddress: '127.0.0.1' }, named, [])).toMatchObject({
    assumed: ['from', 'sni'],
    notes: ['a client that names no server is taken to mean apisix.ssl.fallback_sni'],
  });
});

test('where nothing listens it says what does, and a few of them only', () => {
  const listeners = Array.from({ length: 7 }, (_, index) => ({
    protocol: 'tcp' as const,
    host: '::',
    port: 1 + index,
  }));
  const { listener: _, ...unheard } = facts;

  expect(explanation(question, unheard, listeners)).toMatchObject({
    listener: null,
    served: false,
    reason:
      'nothing listens on tcp 127.0.0.1:9100; the listeners are [::]:1, [::]:2, [::]:3, [::]:4, [::]:5 and 2 more',
  });
});

test.for([
  ['tcp', 'its listener is drained, and closed until that is undone'],
  ['udp', 'its listener is drained, and drops datagrams of clients without a session until that is undone'],
] as const)('a listener that is drained is there, and serves nobody: %s', ([protocol, reason]) => {
  const connection = { ...facts.connection, protocol };
  const drained = { ...facts, connection, isListenerDrained: true, refusal: 'ROUTE_NOT_FOUND' };

  const answer = explanation({ ...question, protocol }, drained, []);

  expect(answer).toMatchObject({
    listener: { address: '0.0.0.0:9100', drained: true },
    served: false,
    reason,
  });
  expect(answer).not.toHaveProperty('code');
});

test('a connection that would be closed at once has the code of its end', () => {
  expect(explanation(question, { ...facts, refusal: 'ROUTE_NOT_FOUND' }, [])).toMatchObject({
    served: false,
    code: 'ROUTE_NOT_FOUND',
    reason: 'no stream route takes it',
    route: null,
    upstream: null,
  });
});

test('what is surprising is noted', () => {
  const node = {
    host: 'db.test',
    address: '10.0.0.1',
    port: 3306,
    weight: 1,
    priority: 0,
    isHealthy: false,
    active: 2,
    isDrained: true,
    isInTurn: true,
  };
  const heads = { proxyProtocol: true, tlsPassthrough: false, proxyProtocolToUpstream: 2 } as const;

  const { notes, listener, upstream } = explanation(
    { ...question, serverName: 'a.test' },
    {
      ...facts,
      listener: { name: '0.0.0.0:9100', heads, limits: { maxConnections: 5 } },
      drained: ['a', 'b'],
      upstream: { key: 'upstreams/1', type: 'chash', isTls: true, nodes: [node] },
    },
    [],
  );

  expect(notes).toEqual([
    'drained, and so not looked at: stream routes a, b',
    expect.stringContaining('sni and alpn decide nothing'),
    expect.stringContaining('a PROXY header has to come first'),
    'no node is healthy, so all of them are used',
  ]);
  expect(listener).toEqual({
    address: '0.0.0.0:9100',
    drained: false,
    tls: 'not looked at',
    proxy_protocol: true,
    proxy_protocol_to_upstream: 2,
    max_connections: 5,
  });
  expect(upstream?.nodes).toEqual([
    {
      host: 'db.test',
      address: '10.0.0.1',
      port: 3306,
      weight: 1,
      priority: 0,
      healthy: false,
      sessions: 2,
      drained: true,
      in_turn: true,
    },
  ]);
});
