import { testPairs } from '@apisix-ts/config/contract';
import { describe, expect, test } from 'vitest';
import { itemsOf, options, planned, storeWith } from '../testing/importing.ts';
import { planImport } from './plan-import.ts';

const nodes = { '127.0.0.1:80': 1 };
const { one } = testPairs;

describe('what may not be imported', () => {
  test.for<[string, Readonly<Record<string, unknown>>, readonly [string, string][]]>([
    [
      'all that is wrong in itself, member by member',
      {
        'stream_routes/1': { id: '1', server_port: 'x', remote_addr: 'y' },
        'upstreams/1': { id: '1', nodes: 1 },
      },
      [
        [
          'remote_addr',
          'stream_routes/1: invalid configuration: property "remote_addr" validation failed: object matches none of the required',
        ],
        [
          'server_port',
          'stream_routes/1: invalid configuration: property "server_port" validation failed: wrong type: expected integer, got string',
        ],
        [
          'nodes',
          'upstreams/1: invalid configuration: property "nodes" validation failed: object matches none of the required',
        ],
      ],
    ],
    [
      'what names something that would not be there',
      { 'stream_routes/1': { id: '1', upstream_id: 'gone' } },
      [['upstream_id', 'stream_routes/1: names the upstream gone: there is none']],
    ],
    [
      'what names something unfit',
      {
        'ssls/s': { id: 's', ...one, snis: ['a.b'] },
        'upstreams/1': { id: '1', nodes, scheme: 'tls', tls: { client_cert_id: 's' } },
      },
      [['tls.client_cert_id', 'upstreams/1: names the ssl s: wrong ssl type']],
    ],
    [
      'plugins that name something that would not be there',
      {
        'plugin_configs/1': {
          id: '1',
          plugins: { 'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: 7 }] }] } },
        },
      },
      [
        [
          'plugins.traffic-split.rules.0.weighted_upstreams.0.upstream_id',
          'plugin_configs/1: a plugin names upstreams/7: there is none',
        ],
      ],
    ],
    [
      'a credential of nobody',
      { 'consumers/jack/credentials/1': { id: 'jack/credentials/1', plugins: {} } },
      [['', 'consumers/jack/credentials/1: belongs to consumers/jack: there is none']],
    ],
    [
      'two consumers with the same key',
      {
        'consumers/a': { username: 'a', plugins: { 'key-auth': { key: 'k' } } },
        'consumers/b': { username: 'b', plugins: { 'key-auth': { key: 'k' } } },
      },
      [['plugins', 'consumers/b: has the same key of plugin key-auth (hidden, 8254c329a9) as consumers/a']],
    ],
    [
      'a plugin in two global rules',
      {
        'global_rules/1': { id: '1', plugins: { x: {} } },
        'global_rules/2': { id: '2', plugins: { x: {} } },
      },
      [['plugins', 'global_rules/2: has the same plugin x as global_rules/1']],
    ],
    [
      'a key that no key of the keyring opens',
      { 'ssls/1': { id: '1', cert: one.cert, key: 'AAAAAAAAAAAAAAAAAAAAAA==', snis: ['a.b'] } },
      [
        [
          '',
          'ssls/1: failed to decrypt previous encrypted key: no key of apisix.data_encryption.keyring opens it',
        ],
      ],
    ],
    ['a resource that is no map', { 'upstreams/1': 7 }, [['', 'upstreams/1: a resource must be a map']]],
    ['a key of no resource', { 'elsewhere/1': {} }, [['', 'elsewhere/1 is the key of no resource']]],
  ])('%s', async ([, file, expected]) => {
    const stored = await storeWith({ 'upstreams/there': { nodes, id: 'there' } });

    const result = planImport(itemsOf(file), await stored.list(''), options);

    const faults = 'faults' in result ? result.faults : [];
    expect(faults.map(({ path, message }) => [path.join('.'), message])).toEqual(expected);
  });

  test('what names something that the store has, until it is pruned', async () => {
    const stored = await storeWith({ 'upstreams/there': { nodes, id: 'there' } });
    const file = { 'stream_routes/1': { id: '1', upstream_id: 'there' } };

    expect((await planned(stored, file)).report.created).toEqual(['stream_routes/1']);
    expect(planImport(itemsOf(file), await stored.list(''), { ...options, prune: true })).toEqual({
      faults: [
        {
          key: 'stream_routes/1',
          path: ['upstream_id'],
          message: 'stream_routes/1: names the upstream there: there is none',
        },
      ],
    });
  });
});
