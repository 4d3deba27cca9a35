import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoreEntry } from '../store/store.ts';
import { parseResourceFile } from './resource-file.ts';
import type { ResourceFormat } from './resource-file.ts';
import { writeResources } from './write-resources.ts';

test('a list for each kind, what is named before what names it, ids first, members in alphabetical order', () => {
  const { text, count, leftOut } = writeResources(
    stored({
      'consumers/jack': { username: 'jack', plugins: { 'key-auth': { key: 'k' } }, create_time: 1 },
      'consumers/jack/credentials/c1': { plugins: {}, id: 'c1' },
      gen_id: 1,
      'plugin_metadata/syslog': { log_format: { host: '$host' } },
      'secrets/vault/1': { uri: 'http://127.0.0.1', id: 'vault/1' },
      'ssls/1': { key: '-----BEGIN\nabc\n-----END\n', cert: '-----BEGIN\nabc\n-----END', id: 1 },
      'stream_routes/b': { upstream_id: 'u', id: 'b' },
      'stream_routes/a': { remote_addr: '10.0.0.0/8', labels: {}, hosts: [], id: 'a' },
      'upstreams/u': { nodes: { '127.0.0.1:80': 1 }, id: 'u', desc: 'yes', type: 'roundrobin' },
      'upstreams/v': { nodes: [{ host: 'a.b', port: 80, weight: 0 }], id: 'v', hash_on: null },
    }),
    'yaml',
  );

  expect(text).toMatchInlineSnapshot(`
    "# All resources, as "apisix export" writes and "apisix import" reads them; also a conf/apisix.yaml.
    # Private keys are as they were stored: encrypted with the first key of apisix.data_encryption.keyring, if there is one.
    secrets:
      - id: vault/1
        uri: "http://127.0.0.1"
    ssls:
      - id: 1
        cert: |-
          -----BEGIN
          abc
          -----END
        key: |
          -----BEGIN
          abc
          -----END
    upstreams:
      - id: u
        desc: "yes"
        nodes:
          "127.0.0.1:80": 1
        type: roundrobin
      - id: v
        hash_on: null
        nodes:
          - host: a.b
            port: 80
            weight: 0
    stream_routes:
      - id: b
        upstream_id: u
      - id: a
        hosts: []
        labels: {}
        remote_addr: "10.0.0.0/8"
    plugin_metadata:
      - id: syslog
        log_format:
          host: "$host"
    consumers:
      - username: jack
        create_time: 1
        plugins:
          key-auth:
            key: k
      - id: jack/credentials/c1
        plugins: {}
    #END
    "
  `);
  expect([count, leftOut]).toEqual([9, []]);
});

test('an empty store is an empty list, which an import takes for what it is', () => {
  const { text, count } = writeResources([], 'yaml');

  expect(count).toBe(0);
  expect(read(text, 'yaml')).toEqual({});
});

test('what is no resource, or cannot be read, is told', () => {
  const entries = [
    ...stored({ 'routes/1': [], plugins: {}, 'elsewhere/1': {}, 'data_plane/server_info/x': {} }),
    entry('upstreams/', 'init_dir'),
    entry('upstreams/1', '{"nodes":'),
  ];

  expect(writeResources(entries, 'yaml')).toMatchObject({
    count: 0,
    leftOut: [
      { key: 'routes/1', why: 'is not a JSON object' },
      { key: 'plugins', why: 'is not a list' },
      { key: 'elsewhere/1', why: 'is no kind of resource' },
      { key: 'upstreams/1', why: 'is not JSON' },
    ],
  });
});

test('those with a time-to-live are told', () => {
  const entries = [{ ...entry('upstreams/1', '{}'), expires: true }, entry('upstreams/2', '{}')];

  expect(writeResources(entries, 'yaml').expiring).toEqual(['upstreams/1']);
});

test('what is no variable is not replaced when it is read', () => {
  const entries = stored({
    'upstreams/1': { id: '1', desc: 'a ${{HOME}} b', '${{HOME}}': 'x\n${{HOME}} y\n' },
  });

  const { text } = writeResources(entries, 'yaml');

  expect(text).not.toContain('${{');
  expect(read(text, 'yaml')).toEqual(documentsOf(entries));
  expect(writeResources(entries, 'json').withVariables).toEqual(['upstreams/1']);
});

/** Any JSON text and number, and what YAML has a meaning of its own for. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '\n', '\t', '\r', ':', '#', '-', '"', "'", '|', '\u{85}', '\u{2028}'),
  }),
  fc.constantFrom(
    'yes',
    'NO',
    'on',
    '~',
    'null',
    '0x1f',
    '0o7',
    '1:30',
    '1e3',
    '.inf',
    '<<',
    '=',
    '2026-01-01',
    '---',
  ),
  fc.constantFrom(
    '#END',
    '...',
    '!!str a',
    '&a',
    '*a',
    '- a',
    '? a',
    '[a]',
    '{a}',
    '%a',
    '@a',
    '`a',
    '-----BEGIN X\nab==\n',
  ),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const anyMembers = fc.dictionary(
  text.filter((name) => !['id', 'username', 'modifiedIndex'].includes(name)),
  json,
  { maxKeys: 6 },
);

test.for(['yaml', 'json'] as const)(
  'any documents are the same when they were written and read as %s',
  (format) => {
    fc.assert(
      fc.property(fc.array(anyMembers, { maxLength: 5 }), (documents) => {
        const entries = documents.map((members, index) =>
          entry(`upstreams/u${index}`, JSON.stringify(members)),
        );

        const written = writeResources(entries, format);

        // JSON has no way to write `${{` so that it is not taken for a variable.
        if (written.withVariables.length > 0) return;
        expect(read(written.text, format)).toEqual(documentsOf(entries));
      }),
      { numRuns: 500 },
    );
  },
);

function stored(documents: Readonly<Record<string, unknown>>): StoreEntry[] {
  return Object.entries(documents).map(([key, document]) => entry(key, JSON.stringify(document)));
}

function entry(key: string, value: string): StoreEntry {
  return { key, value, createRevision: 1, modRevision: 1 };
}

function documentsOf(entries: readonly StoreEntry[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    entries.map(({ key, value }) => [key, { ...JSON.parse(value), id: key.replace(/^\w+\//, '') }]),
  );
}

/** By key, as the reader of files has it. */
function read(written: string, format: ResourceFormat): Readonly<Record<string, unknown>> {
  const file = parseResourceFile(written, { path: '/all', format, env: { HOME: 'replaced' } });
  expect([file.problems, file.duplicates, file.warnings]).toEqual([[], [], []]);
  return Object.fromEntries(file.items.map(({ key, value }) => [key, value]));
}
