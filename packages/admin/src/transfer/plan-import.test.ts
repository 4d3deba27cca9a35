import { createMemoryStore, encryptText } from '@apisix-ts/config';
import type { Document } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import { describe, expect, test } from 'vitest';
import { documentsIn, imported, keyring, now, planned, storeWith } from '../testing/importing.ts';

const nodes = { '127.0.0.1:80': 1 };
const { one, two } = testPairs;

describe('what an import changes', () => {
  test('creates, updates and leaves alone, and says what the file lacks', async () => {
    const stored = await storeWith({
      'upstreams/same': { nodes, id: 'same', create_time: 1, update_time: 2 },
      'upstreams/other': { nodes, desc: 'old', id: 'other', create_time: 1, update_time: 2 },
      'upstreams/extra': { nodes, id: 'extra' },
    });

    const report = await imported(stored, {
      'upstreams/same': { nodes, id: 'same', update_time: 9 },
      'upstreams/other': { nodes: { '127.0.0.1:80': 2 }, name: 'n', id: 'other' },
      'upstreams/new': { nodes, id: 'new' },
    });

    expect(report).toEqual({
      created: ['upstreams/new'],
      updated: [
        {
          key: 'upstreams/other',
          changes: [
            { path: 'desc', from: 'old' },
            { path: 'name', to: 'n' },
            { path: 'nodes.127.0.0.1:80', from: 1, to: 2 },
          ],
        },
      ],
      deleted: [],
      kept: ['upstreams/extra'],
      unchanged: 1,
      warnings: [],
    });
    expect(await documentsIn(stored)).toEqual({
      'upstreams/same': { nodes, id: 'same', create_time: 1, update_time: 2 },
      'upstreams/other': {
        nodes: { '127.0.0.1:80': 2 },
        name: 'n',
        id: 'other',
        create_time: 1,
        update_time: now,
      },
      'upstreams/new': { nodes, id: 'new', create_time: now, update_time: now },
      'upstreams/extra': { nodes, id: 'extra' },
    });
  });

  test('a second time nothing', async () => {
    const stored = await storeWith({ 'upstreams/1': { nodes, id: '1', create_time: 1, update_time: 5 } });
    const file = { 'upstreams/1': { nodes, desc: 'edited', id: '1', create_time: 1, update_time: 5 } };
    await imported(stored, file);

    expect(await imported(stored, file)).toMatchObject({ created: [], updated: [], unchanged: 1 });
  });

  test('times move along with a resource, a later one replaces an earlier one', async () => {
    const stored = await storeWith({ 'upstreams/1': { nodes, id: '1', create_time: 7, update_time: 8 } });

    await imported(stored, {
      'upstreams/1': { nodes, desc: 'later', id: '1', create_time: 3, update_time: 9 },
      'upstreams/2': { nodes, id: '2', create_time: 3, update_time: 4 },
    });

    expect(await documentsIn(stored)).toMatchObject({
      'upstreams/1': { create_time: 3, update_time: 9 },
      'upstreams/2': { create_time: 3, update_time: 4 },
    });
  });

  test('prune deletes what the file lacks, what names before what is named, and nothing that is no resource', async () => {
    const stored = await storeWith({
      'upstreams/1': { nodes, id: '1' },
      'services/1': { upstream_id: '1', id: '1' },
      'stream_routes/1': { service_id: '1', id: '1' },
      'consumers/jack': { username: 'jack' },
      'consumers/jack/credentials/1': { plugins: {}, id: '1' },
      plugins: [{ name: 'syslog' }],
      gen_id: 1,
    });
    const { steps } = await planned(stored, {}, { prune: true });

    expect(steps.flat().map(({ key }) => key)).toEqual([
      'consumers/jack/credentials/1',
      'consumers/jack',
      'stream_routes/1',
      'services/1',
      'upstreams/1',
    ]);
    await imported(stored, {}, { prune: true });
    expect(Object.keys(await documentsIn(stored))).toEqual(['gen_id', 'plugins']);
  });

  test('what is named is written before what names it', async () => {
    const { steps } = await planned(await storeWith({}), {
      'stream_routes/1': { service_id: '1', id: '1' },
      'services/1': { upstream_id: '1', id: '1' },
      'upstreams/1': { nodes, id: '1' },
    });

    expect(steps.map(([change]) => change?.key)).toEqual(['upstreams/1', 'services/1', 'stream_routes/1']);
  });

  test.for([
    ['consumers/jack', { username: 'jack' }, { username: 'jack' }],
    ['consumers/jack', { id: 'jack', username: 'jack' }, { username: 'jack' }],
    ['plugin_metadata/syslog', { id: 'syslog', log_format: {} }, { log_format: {} }],
    ['upstreams/7', { id: 7, nodes }, { id: 7, nodes }],
    ['protos/p', { content: 'x' }, { content: 'x', id: 'p' }],
  ] as const)('ids are stored as the Admin API has them: %s', async ([key, value, expected]) => {
    const stored = await storeWith({});
    await imported(stored, { [key]: value });

    const {
      create_time: _created,
      update_time: _updated,
      ...content
    } = (await documentsIn(stored))[key] ?? {};
    expect(content).toEqual(expected);
  });

  test('a credential has the last part of its id, and a secret all of it', async () => {
    const stored = await storeWith({});
    await imported(stored, {
      'consumers/jack': { username: 'jack' },
      'consumers/jack/credentials/c': { id: 'jack/credentials/c', plugins: {} },
      'secrets/vault/1': { id: 'vault/1', uri: 'http://127.0.0.1', prefix: 'a', token: 'b' },
    });

    expect(await documentsIn(stored)).toMatchObject({
      'consumers/jack/credentials/c': { id: 'c' },
      'secrets/vault/1': { id: 'vault/1' },
    });
  });

  test('a private key is stored encrypted, compared open, and told by a fingerprint', async () => {
    const tls = (client_key: string): Document => ({ nodes, tls: { client_cert: one.cert, client_key } });
    const stored = await storeWith({
      'upstreams/same': { ...tls(encryptText(one.key, keyring.slice(1))), id: 'same' },
      'upstreams/other': { nodes, tls: { client_cert: two.cert, client_key: two.key }, id: 'other' },
    });

    const plan = await planned(stored, {
      'upstreams/same': { ...tls(one.key), id: 'same' },
      'upstreams/other': { ...tls(one.key), id: 'other' },
    });

    const hidden: unknown = expect.stringMatching(/^\(hidden, [0-9a-f]{10}\)$/);
    expect(plan.report).toMatchObject({
      unchanged: 1,
      updated: [
        {
          key: 'upstreams/other',
          changes: [
            { path: 'tls.client_cert', from: two.cert, to: one.cert },
            { path: 'tls.client_key', from: hidden, to: hidden },
          ],
        },
      ],
    });
    expect(plan.steps[0]?.[0]?.value).toContain(encryptText(one.key, keyring));
  });

  test('keys of consumers are told by a fingerprint', async () => {
    const stored = await storeWith({ 'consumers/jack': { username: 'jack', plugins: { x: { key: 'a' } } } });

    const { report } = await planned(stored, {
      'consumers/jack': { username: 'jack', plugins: { x: { key: 'b', realm: 'r' } } },
    });

    expect(report.updated[0]?.changes).toEqual([
      { path: 'plugins.x.key', from: '(hidden, ca978112ca)', to: '(hidden, 3e23e81600)' },
      { path: 'plugins.x.realm', to: 'r' },
    ]);
  });

  test('what cannot be read in the store is replaced', async () => {
    const { writer } = createMemoryStore();
    await writer.put('upstreams/1', '{"nodes":');

    expect(await imported(writer, { 'upstreams/1': { nodes, id: '1' } })).toMatchObject({
      updated: [{ key: 'upstreams/1' }],
    });
  });

  test('a plugin that is not there is stored unchecked, with a warning', async () => {
    const stored = await storeWith({});
    const plugins = { 'limit-count': { count: 1 } };

    const { warnings } = await imported(stored, {
      'plugin_configs/1': { id: '1', plugins },
      'plugin_configs/2': { id: '2', plugins },
    });

    expect(warnings).toEqual([
      'the plugin limit-count is not known here: what plugin_configs/1 and 1 more configure for it is not checked, and not in effect',
    ]);
  });
});
