import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { checkResource } from './check-resource.ts';
import { arrayOfNodes, normaliseNodes } from './nodes.ts';
import type { CheckContext } from './resource-kind.ts';
import { upstreamKind } from './upstream.ts';
import type { UpstreamDocument } from './upstream.ts';

const context: CheckContext = {
  plugins: new Map(),
  streamPlugins: new Map(),
  balancers: new Set(['roundrobin', 'chash', 'least_conn']),
};
const nodes = { '127.0.0.1:3306': 1 };
const invalid = 'invalid configuration: ';

function check(upstream: unknown) {
  return checkResource(upstreamKind, upstream, context);
}

describe('an upstream', () => {
  test.for([
    { nodes: [{ host: 'db.example.com', weight: 0 }] },
    { nodes: [{ host: '[::1]', port: 1, weight: 1, priority: -1, metadata: { zone: 'a' }, other: 1 }] },
    { nodes: [{ host: 'unix:/run/db.sock', weight: 1 }] },
    { nodes: { 'unix:/run/db:1.sock': 1 } },
    { nodes, type: 'chash', key: 'remote_addr' },
    { nodes, type: 'chash', key: 'arg_x-y' },
    { nodes, type: 'chash', hash_on: 'consumer' },
    { nodes, type: 'chash', hash_on: 'vars_combinations', key: '$remote_addr$remote_port' },
    { nodes, pass_host: 'rewrite', upstream_host: 'a.example.com' },
    { nodes, timeout: { connect: 0.5, send: 1, read: 1 }, retries: 0, retry_timeout: 0 },
    { nodes, node_max_connections: 1, queue: { length: 1, timeout: 0.5 } },
    { nodes, max_session_age: 0.5, session_age_jitter: 0 },
    { nodes, tcp_keepalive: 60, source_address: ['127.0.0.2', '::1'] },
    { service_name: 'db', discovery_type: 'dns', discovery_args: { group_name: 'g' } },
    { nodes, keepalive_pool: { size: 1 }, scheme: 'tls', tls: { verify: true, client_cert_id: 1 } },
  ])('passes: %j', (upstream) => {
    expect(check(upstream)).toMatchObject({ ok: true, document: upstream });
  });

  test.for([
    [{}, `${invalid}value should match only one schema, but matches none`],
    [
      { nodes, service_name: 'a', discovery_type: 'dns' },
      `${invalid}value should match only one schema, but matches both schemas 1 and 2`,
    ],
    [
      { nodes, node_max_connections: 0 },
      `${invalid}property "node_max_connections" validation failed: expected 0 to be at least 1`,
    ],
    [
      { nodes, queue: { length: 1 } },
      `${invalid}property "node_max_connections" is required when "queue" is set`,
    ],
    [
      { nodes, node_max_connections: 1, queue: { timeout: 1 } },
      `${invalid}property "queue" validation failed: property "length" is required`,
    ],
    [
      { nodes, max_session_age: 60, session_age_jitter: 1.5 },
      `${invalid}property "session_age_jitter" validation failed: expected 1.5 to be at most 1`,
    ],
    [
      { nodes, tcp_keepalive: 0 },
      `${invalid}property "tcp_keepalive" validation failed: expected 0 to be at least 1`,
    ],
    ...['db.test', '192.0.2.0/24', 'fe80::1%eth0', '[::1]'].map(
      (source) =>
        [
          { nodes, source_address: ['127.0.0.1', source] },
          `invalid source_address: ${source}, expected an ip address`,
        ] as const,
    ),
    [{ nodes: 'x' }, `${invalid}property "nodes" validation failed: object matches none of the required`],
    [
      { nodes: { '127.0.0.1:80': -1 } },
      `${invalid}property "nodes" validation failed: object matches none of the required`,
    ],
    [
      { nodes: [{ host: '127.0.0.1' }] },
      `${invalid}property "nodes" validation failed: object matches none of the required`,
    ],
    [
      { nodes: [{ host: '::1', port: 80, weight: 1 }] },
      `${invalid}IPv6 address must be enclosed with '[' and ']'`,
    ],
    [
      { nodes: [{ host: 'unix:/run/db.sock', port: 1, weight: 1 }] },
      `${invalid}a unix socket has no port: unix:/run/db.sock`,
    ],
    [
      { nodes: { [`unix:/${'x'.repeat(107)}`]: 1 } },
      `${invalid}the path of a unix socket has at most 107 bytes: unix:/${'x'.repeat(107)}`,
    ],
    [
      { nodes: [{ host: 'unix:run/db.sock', weight: 1 }] },
      `${invalid}property "nodes" validation failed: object matches none of the required`,
    ],
    [{ nodes: { '127.0.0.1:0': 1 } }, 'invalid port 0'],
    [{ nodes: { 'a:65535': 1, 'b:65536': 1 } }, 'invalid port 65536'],
    [
      { nodes, type: 'nearest' },
      'unknown balancer type [nearest], available are: chash, least_conn, roundrobin',
    ],
    [{ nodes, type: 'chash' }, 'missing key'],
    [
      { nodes, type: 'chash', key: 'not_support' },
      `${invalid}failed to match pattern "^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id)|arg_[0-9a-zA-z_-]+)$" with "not_support"`,
    ],
    [
      { nodes, type: 'chash', hash_on: 'cookie', key: 'a b' },
      `${invalid}failed to match pattern "^[a-zA-Z0-9-_]+$" with "a b"`,
    ],
    [
      { nodes, hash_on: 'ip' },
      `${invalid}property "hash_on" validation failed: matches none of the enum values`,
    ],
    [{ nodes, pass_host: 'rewrite' }, "`upstream_host` can't be empty when `pass_host` is `rewrite`"],
    [{ nodes, retries: -1 }, `${invalid}property "retries" validation failed: expected -1 to be at least 0`],
    [
      { nodes, timeout: { connect: 0, send: 1, read: 1 } },
      `${invalid}property "timeout" validation failed: property "connect" validation failed: expected 0 to be greater than 0`,
    ],
    [
      { nodes, timeout: { connect: 1, send: 1 } },
      `${invalid}property "timeout" validation failed: property "read" is required`,
    ],
    [
      { nodes, checks: { passive: {} } },
      `${invalid}property "checks" validation failed: object matches none of the required: ["active"] or ["active","passive"]`,
    ],
    [
      { nodes, checks: { active: { healthy: { http_statuses: [200, 200] } } } },
      `${invalid}property "checks" validation failed: property "active" validation failed: property "healthy" validation failed: ` +
        'property "http_statuses" validation failed: expected unique items but items 1 and 2 are equal',
    ],
    [
      { nodes, checks: { active: {}, on_unhealthy: 'drain' } },
      `${invalid}property "checks" validation failed: property "on_unhealthy" validation failed: matches none of the enum values`,
    ],
    [
      { nodes, checks: { active: { send: 'PING' } } },
      '`send` and `expect` are for health checks of type tcp and udp, not http',
    ],
    [
      { nodes, checks: { active: { type: 'udp', send: { hex: 'ab c' } } } },
      '`checks.active.send` has to have pairs of hex digits in `hex`, got "ab c"',
    ],
    [
      { nodes, checks: { active: { type: 'udp', send: { hex: '$env://HEX' } } } },
      '`checks.active.send` has to have pairs of hex digits in `hex`, got "$env://HEX"',
    ],
    [
      { nodes, checks: { active: { type: 'udp', send: {} } } },
      '`checks.active.send` has to be a text or an object with `hex`',
    ],
    [
      { nodes, checks: { active: { type: 'tcp', expect: { text: 'a', hex: 'b0' } } } },
      '`checks.active.expect` has to be a text, or an object with `text` or `hex`',
    ],
    [
      { nodes, checks: { active: { type: 'tcp', expect: '' } } },
      '`checks.active.expect` has to have 1 to 1024 bytes, got 0',
    ],
    [
      { nodes, checks: { active: { type: 'tcp', send: 'é'.repeat(2049) } } },
      '`checks.active.send` has to have 0 to 4096 bytes, got 4098',
    ],
    [
      { nodes, checks: { active: { type: 'tcp', expect: { text: 'a', regex: 'b' } } } },
      `${invalid}property "checks" validation failed: property "active" validation failed: property "expect" validation failed: additional properties forbidden, found regex`,
    ],
    [
      { nodes, checks: { active: { type: 'tcp', expect: { text: 'a', match: 'end' } } } },
      `${invalid}property "checks" validation failed: property "active" validation failed: property "expect" validation failed: property "match" validation failed: matches none of the enum values`,
    ],
    [
      { nodes, checks: { active: { type: 'tcp', send: 5 } } },
      `${invalid}property "checks" validation failed: property "active" validation failed: property "send" validation failed: wrong type: expected one of string, object, got number`,
    ],
    [
      { nodes, checks: { active: {}, passive: { type: 'udp' } } },
      `${invalid}property "checks" validation failed: property "passive" validation failed: property "type" validation failed: matches none of the enum values`,
    ],
    [
      { nodes, tls: { client_cert: 'c'.repeat(128) } },
      `${invalid}property "tls" validation failed: failed to validate dependent schema for "client_cert": property "client_key" is required`,
    ],
    [
      { nodes, tls: { client_cert: 'c'.repeat(128), client_key: 'k'.repeat(64), client_cert_id: 1 } },
      `${invalid}property "tls" validation failed: failed to validate dependent schema for "client_cert": value wasn't supposed to match schema`,
    ],
    [{ nodes, weight: 1 }, `${invalid}additional properties forbidden, found weight`],
  ] as const)('%j is refused: %s', ([upstream, message]) => {
    expect(check(upstream)).toEqual({ ok: false, message });
  });

  test.for([[], {}])('may have no nodes yet: %j', (none) => {
    const result = check({ nodes: none });

    expect(result.ok && normaliseNodes(result.document.nodes ?? {})).toEqual([]);
  });

  test('with a client certificate that cannot be read is refused', () => {
    const pem = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(128)}\n-----END CERTIFICATE-----\n`;
    const upstream = { nodes, tls: { client_cert: pem, client_key: 'k'.repeat(64) } };

    const result = check(upstream);

    expect(result.ok ? '' : result.message).toMatch(/^failed to parse cert: /);
  });

  test('with a balancer that is not there passes when it was found in the store', () => {
    const result = checkResource(upstreamKind, { nodes, type: 'nearest' }, { ...context, isStored: true });

    expect(result).toMatchObject({ ok: true, document: { type: 'nearest' } });
  });

  test('has the defaults of its probes where their object is present', () => {
    const result = check({
      nodes,
      checks: { active: { type: 'tcp', healthy: {} }, passive: { unhealthy: {} } },
    });

    expect(result).toMatchObject({
      document: {
        checks: {
          active: {
            timeout: 1,
            concurrency: 10,
            healthy: { interval: 1, successes: 2, http_statuses: [200, 302] },
          },
          passive: { type: 'http', unhealthy: { tcp_failures: 2, timeouts: 7, http_failures: 5 } },
        },
      },
    });
    expect(result).not.toHaveProperty('document.checks.active.unhealthy');
  });

  test('gives its type to who checks it', () => {
    const result = check({ nodes });

    if (result.ok) expectTypeOf(result.document).toEqualTypeOf<UpstreamDocument>();
  });
});

describe('nodes in one form', () => {
  test.for([
    ['127.0.0.1:3306', '127.0.0.1', 3306],
    ['db.example.com:3306', 'db.example.com', 3306],
    ['db.example.com', 'db.example.com', undefined],
    ['[::1]:80', '::1', 80],
    ['[::1]', '::1', undefined],
    ['::1', '::1', undefined],
    ['2001:db8::1:80', '2001:db8::1:80', undefined],
    ['a:', 'a:', undefined],
    ['a:b', 'a:b', undefined],
    [':80', '', 80],
  ] as const)('%s is host %j, port %s', ([address, host, port]) => {
    expect(normaliseNodes({ [address]: 5 })).toEqual([{ host, port, weight: 5, priority: 0 }]);
  });

  test('have one array form, whichever form they are written in', () => {
    const array = [{ host: 'a', port: 1, weight: 2 }];

    expect(arrayOfNodes(array)).toBe(array);
    expect(arrayOfNodes({ '[::1]:80': 1, 'unix:/s': 2, a: 3 })).toEqual([
      { host: '[::1]', port: 80, weight: 1, priority: 0 },
      { host: 'unix:/s', weight: 2, priority: 0 },
      { host: 'a', weight: 3, priority: 0 },
    ]);
  });

  test('keep the order of the document', () => {
    const hosts = normaliseNodes({ 'b:1': 1, 'a:1': 1 }).map(({ host }) => host);

    expect(hosts).toEqual(['b', 'a']);
  });

  test('take weight and priority from the array form', () => {
    expect(
      normaliseNodes([
        { host: '[::1]', port: 80, weight: 2, priority: -1, metadata: {} },
        { host: 'a', weight: 0 },
      ]),
    ).toEqual([
      { host: '::1', port: 80, weight: 2, priority: -1 },
      { host: 'a', port: undefined, weight: 0, priority: 0 },
    ]);
  });

  test('come out of whatever passed', () => {
    const address = fc.stringMatching(/^[a-c:[\].0-9]{0,12}$/);
    const member = fc.record(
      { host: address, port: fc.nat(70_000), weight: fc.nat(3) },
      { requiredKeys: ['host'] },
    );
    const field = fc.oneof(fc.dictionary(address, fc.nat(3)), fc.array(member), fc.jsonValue());
    fc.assert(
      fc.property(field, (value) => {
        const result = check({ nodes: value });
        if (!result.ok) return;
        for (const { port, weight } of normaliseNodes(result.document.nodes ?? [])) {
          expect(port === undefined || (port > 0 && port < 65_536)).toBe(true);
          expect(weight).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
