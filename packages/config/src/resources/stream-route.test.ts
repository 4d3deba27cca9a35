import { describe, expect, test } from 'vitest';
import { checkResource } from './check-resource.ts';
import type { CheckContext } from './resource-kind.ts';
import { streamRouteKind } from './stream-route.ts';

const limit = {
  type: 'object',
  properties: {
    conn: { type: 'integer', exclusiveMinimum: 0 },
    key: { type: 'string', default: 'remote_addr' },
  },
  required: ['conn'],
};
const context: CheckContext = {
  plugins: new Map(),
  streamPlugins: new Map([['limit-conn', { schema: limit }]]),
  balancers: new Set(['roundrobin', 'chash']),
};
const nodes = { '127.0.0.1:3306': 1 };

describe('a stream route', () => {
  test('needs nothing', () => {
    expect(checkResource(streamRouteKind, {}, context)).toEqual({ ok: true, document: { priority: 0 } });
  });

  test('with every field keeps them all, and gets the defaults of its upstream and plugins', () => {
    const route = {
      id: 1,
      name: 'orders',
      desc: 'MySQL of the orders team',
      labels: { team: 'orders' },
      create_time: 1_700_000_000,
      update_time: 1_700_000_000,
      priority: -1,
      remote_addr: '10.0.0.0/8',
      server_addr: '::1',
      server_port: 9100,
      sni: '*.example.com',
      upload_rate: 1024,
      download_rate: 1_000_000_000_000,
      upstream: { nodes },
      upstream_id: '1',
      service_id: 'a.b-c_d',
      plugins: { 'limit-conn': { conn: 1 } },
    };

    expect(checkResource(streamRouteKind, route, context)).toEqual({
      ok: true,
      document: {
        ...route,
        upstream: { nodes, type: 'roundrobin', hash_on: 'vars', scheme: 'http', pass_host: 'pass' },
        plugins: { 'limit-conn': { conn: 1, key: 'remote_addr' } },
      },
    });
    expect(route.upstream).toEqual({ nodes });
  });

  test.for([1023, 1_000_000_000_001, 2048.5])('cannot have a rate of %d', (rate) => {
    for (const field of ['upload_rate', 'download_rate']) {
      expect(checkResource(streamRouteKind, { [field]: rate }, context)).toMatchObject({
        ok: false,
        message: expect.stringContaining(`property "${field}" validation failed`),
      });
    }
  });

  test.for([
    '127.0.0.1',
    '127.0.0.1/26',
    '0.0.0.0/0',
    '10.0.0.1/32',
    '::1',
    '2001:db8::/32',
    '::/0',
    'fe80::1/128',
    '::ffff:10.0.0.1',
  ])('accepts the client address %s', (remote_addr) => {
    expect(checkResource(streamRouteKind, { remote_addr }, context)).toMatchObject({ ok: true });
  });

  test.for([
    [{ remote_addr: ':/8' }, 'invalid remote_addr: :/8'],
    [{ server_addr: '::1/129' }, 'invalid server_addr: ::1/129'],
    [{ remote_addr: '999.0.0.1/8' }, 'invalid remote_addr: 999.0.0.1/8'],
    [{ remote_addr: '$env://CLIENT' }, 'invalid remote_addr: $env://CLIENT'],
    [
      { remote_addr: '10.0.0.0/33' },
      'invalid configuration: property "remote_addr" validation failed: object matches none of the required',
    ],
    [
      { remote_addr: 'fe80::1%eth0' },
      'invalid configuration: property "remote_addr" validation failed: object matches none of the required',
    ],
    [
      { remote_addr: ['10.0.0.1'] },
      'invalid configuration: property "remote_addr" validation failed: object matches none of the required',
    ],
    [
      { server_port: 0 },
      'invalid configuration: property "server_port" validation failed: expected 0 to be at least 1',
    ],
    [
      { server_port: '9100' },
      'invalid configuration: property "server_port" validation failed: wrong type: expected integer, got string',
    ],
    [
      { sni: 'a b' },
      String.raw`invalid configuration: property "sni" validation failed: failed to match pattern "^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$" with "a b"`,
    ],
    [
      { id: '*x' },
      'invalid configuration: property "id" validation failed: object matches none of the required',
    ],
    [
      { id: 0 },
      'invalid configuration: property "id" validation failed: object matches none of the required',
    ],
    [
      { priority: 1.5 },
      'invalid configuration: property "priority" validation failed: wrong type: expected integer, got number',
    ],
    [
      { labels: { a: 'b c' } },
      String.raw`invalid configuration: property "labels" validation failed: failed to validate a (matching ".*"): failed to match pattern "^\\S+$" with "b c"`,
    ],
    [{ status: 1 }, 'invalid configuration: additional properties forbidden, found status'],
    [
      { protocol: {} },
      'invalid configuration: property "protocol" validation failed: property "name" is required',
    ],
    [{ protocol: { name: 'redis' } }, 'unknown protocol [redis]'],
    [
      { upstream: { nodes, retries: -1 } },
      'invalid configuration: property "upstream" validation failed: property "retries" validation failed: expected -1 to be at least 0',
    ],
    [{ upstream: { nodes: { '[::1]:70000': 1 } } }, 'invalid port 70000'],
    [{ upstream: { nodes, type: 'chash' } }, 'missing key'],
    [null, 'invalid configuration: wrong type: expected object, got userdata'],
    ['x', 'invalid configuration: wrong type: expected object, got string'],
  ] as const)('%j is refused: %s', ([route, message]) => {
    expect(checkResource(streamRouteKind, route, context)).toEqual({ ok: false, message });
  });
});

describe('the plugins of a stream route', () => {
  test.for([
    [{ 'mqttt-proxy': {} }, 'unknown plugin [mqttt-proxy]'],
    [{ 'limit-conn': 'x' }, 'invalid plugin conf "x" for plugin [limit-conn]'],
    [
      { 'limit-conn': {} },
      'failed to check the configuration of stream plugin [limit-conn]: property "conn" is required',
    ],
    [
      { 'limit-conn': [] },
      'failed to check the configuration of stream plugin [limit-conn]: property "conn" is required',
    ],
    [
      { 'limit-conn': { conn: 1, _meta: { off: true } } },
      'failed to check the configuration of stream plugin [limit-conn]: property "_meta" validation failed: additional properties forbidden, found off',
    ],
  ] as const)('%j are refused: %s', ([plugins, message]) => {
    expect(checkResource(streamRouteKind, { plugins }, context)).toEqual({ ok: false, message });
  });

  test('may carry _meta, and may be wrong when it switches them off', () => {
    const plugins = { 'limit-conn': { _meta: { disable: true, priority: 1 } } };

    expect(checkResource(streamRouteKind, { plugins }, context)).toMatchObject({
      ok: true,
      document: { plugins },
    });
  });

  test('may be unknown when the document was found in the store', () => {
    const plugins = { elsewhere: { a: 1 } };

    expect(checkResource(streamRouteKind, { plugins }, { ...context, isStored: true })).toEqual({
      ok: true,
      document: { priority: 0, plugins },
    });
  });
});
