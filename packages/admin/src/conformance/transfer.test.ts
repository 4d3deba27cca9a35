import { encryptText } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import { expect, test } from 'vitest';
import { openAdmin } from '../testing/open-admin.ts';
import { says, testRows } from '../testing/rows.ts';

// Ours: APISIX has no such endpoints. They are what `apisix export` and `apisix import` use.

const nodes = { '127.0.0.1:80': 1 };
const keyring = ['qeddd145sfvddff3'];
const sealed = {
  cert: testPairs.one.cert,
  key: encryptText(testPairs.one.key, keyring),
  snis: ['a.b'],
  id: 's',
};
const change = (key: string, expected: unknown, document?: unknown): object => ({
  changes: [{ key, expected, document }],
});
const done = { results: [{}] };

testRows(
  'export and import',
  [
    {
      claim: 'everything as it is stored, with private keys',
      given: { 'ssls/s': sealed, 'upstreams/': 'init_dir' },
      request: 'POST /export',
      status: 200,
      body: {
        revision: 3,
        entries: [
          { key: 'ssls/s', value: JSON.stringify(sealed), createRevision: 2, modRevision: 2 },
          { key: 'upstreams/', value: 'init_dir', createRevision: 3, modRevision: 3 },
        ],
      },
    },
    {
      claim: 'is no GET, which a viewer may send',
      request: 'GET /export',
      status: 404,
      body: says('Unsupported resource type: export'),
    },
    {
      claim: 'creates what is absent, as it is given',
      request: 'POST /import',
      send: change('upstreams/1', 0, { nodes, id: '1', create_time: 7 }),
      status: 200,
      body: done,
      stored: { 'upstreams/1': { nodes, id: '1', create_time: 7 } },
    },
    {
      claim: 'replaces what is as expected',
      given: { 'upstreams/1': { nodes, id: '1' } },
      request: 'POST /import',
      send: change('upstreams/1', 2, { nodes, desc: 'new', id: '1' }),
      status: 200,
      body: done,
      stored: { 'upstreams/1': { nodes, desc: 'new', id: '1' } },
    },
    {
      claim: 'deletes what is as expected, without a document',
      given: { 'upstreams/1': { nodes, id: '1' } },
      request: 'POST /import',
      send: change('upstreams/1', 2),
      status: 200,
      body: done,
      stored: { 'upstreams/1': undefined },
    },
    {
      claim: 'takes private keys that are encrypted',
      request: 'POST /import',
      send: change('ssls/s', 0, sealed),
      status: 200,
      body: done,
      stored: { 'ssls/s': sealed },
    },
    {
      claim: 'takes what is not loaded here, as a store has it',
      request: 'POST /import',
      send: change('plugin_configs/1', 0, { plugins: { unheard: { a: 1 } }, id: '1' }),
      status: 200,
      body: done,
      stored: { 'plugin_configs/1': { plugins: { unheard: { a: 1 } }, id: '1' } },
    },
    {
      claim: 'takes the list of plugins',
      request: 'POST /import',
      send: change('plugins', 0, [{ name: 'syslog' }]),
      status: 200,
      body: done,
      stored: { plugins: [{ name: 'syslog' }] },
    },
    {
      claim: 'does what it can, and says for each change how it went',
      given: { 'upstreams/1': { nodes, id: '1' } },
      request: 'POST /import',
      send: {
        changes: [
          { key: 'upstreams/1', expected: 9, document: { nodes, desc: 'lost', id: '1' } },
          { key: 'upstreams/2', expected: 0, document: { nodes, id: '2' } },
        ],
      },
      status: 200,
      body: {
        results: [
          {
            code: 'STORE_CONFLICT',
            error_msg:
              'The key upstreams/1 was expected to be at revision 9 and is at revision 2; nothing was written.',
          },
          {},
        ],
      },
      stored: { 'upstreams/1': { nodes, id: '1' }, 'upstreams/2': { nodes, id: '2' } },
    },
    {
      claim: 'writes nothing when one of the documents is invalid',
      request: 'POST /import',
      send: {
        changes: [
          { key: 'upstreams/1', expected: 0, document: { nodes, id: '1' } },
          { key: 'stream_routes/1', expected: 0, document: { server_port: 'x', id: '1' } },
        ],
      },
      status: 400,
      body: says(
        'changes[1]: stream_routes/1: invalid configuration: property "server_port" validation failed: wrong type: expected integer, got string',
      ),
      stored: { 'upstreams/1': undefined },
    },
    ...(
      [
        ['nothing', undefined, 'invalid request body: {"changes":[…]} was expected'],
        ['no list', { changes: {} }, 'invalid request body: {"changes":[…]} was expected'],
        ['no map', { changes: [1] }, 'changes[0]: a map was expected'],
        ['no key', change(1 as never, 0), 'changes[0]: key must be text'],
        [
          'no revision',
          change('upstreams/1', '0'),
          'changes[0]: expected must be a revision, or 0 for a key that is absent',
        ],
        ['no resource', change('elsewhere/1', 0, {}), 'changes[0]: elsewhere/1 is the key of no resource'],
        ['no id', change('upstreams/', 0, {}), 'changes[0]: upstreams/ is the key of no resource'],
        ['no document', change('upstreams/1', 0, []), 'changes[0]: upstreams/1: a map was expected'],
        ['no list of plugins', change('plugins', 0, {}), 'changes[0]: plugins must be a list'],
      ] as const
    ).map(([claim, send, message]) => ({
      claim,
      request: 'POST /import',
      send,
      status: 400,
      body: says(message),
    })),
  ],
  { keyring },
);

test('a viewer may neither export nor import', async () => {
  await using admin = await openAdmin({ adminKeys: [{ name: 'reader', key: 'viewing', role: 'viewer' }] });
  for (const path of ['/export', '/import']) {
    const { status } = await admin.send('POST', path, '{"changes":[]}', { 'x-api-key': 'viewing' });
    expect(status).toBe(401);
  }
});

test('what was imported counts in the look for what is still used', async () => {
  await using admin = await openAdmin();
  const changes = [
    { key: 'upstreams/1', expected: 0, document: { nodes, id: '1' } },
    { key: 'stream_routes/1', expected: 0, document: { upstream_id: '1', id: '1' } },
  ];
  await admin.send('POST', '/import', JSON.stringify({ changes }));

  expect((await admin.send('DELETE', '/upstreams/1')).status).toBe(400);
});
