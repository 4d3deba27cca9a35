import { describe, expect, test } from 'vitest';
import { testPairs } from '../contract/test-pairs.ts';
import { encryptText } from '../encryption/index.ts';
import { problemsError } from '../source/problem.ts';
import { findResourceProblems } from './check-resources.ts';
import { parseResourceFile } from './resource-file.ts';

const plugins = new Map([['traffic-split', { schema: { type: 'object' } }]]);
const context = { plugins, streamPlugins: plugins, balancers: new Set(['roundrobin']) };
const upstream = '{type: roundrobin, nodes: {"127.0.0.1:1": 1}}';

function serverSsl(key: string): string {
  return `ssls: [{id: 5, sni: a.com, cert: ${JSON.stringify(testPairs.one.cert)}, key: ${JSON.stringify(key)}}]`;
}

/** The lines of the message, without the name of the file. */
function problems(text: string, keyring: readonly string[] = []): readonly string[] {
  const file = parseResourceFile(`${text}\n#END`, { path: '/apisix.yaml', format: 'yaml', env: {} });
  const [first, ...others] = findResourceProblems(file, { context, keyring });
  if (first === undefined) return [];
  return problemsError([first, ...others], file.source)
    .message.split('\n')
    .map((line) => line.replace('/apisix.yaml:', ''));
}

test('says nothing about a good file', () => {
  expect(
    problems(`
upstreams: [{id: 1, type: roundrobin, nodes: {"127.0.0.1:1": 1}}]
services: [{id: s, upstream_id: 1}]
stream_routes: [{server_port: 9100, upstream_id: 1}, {id: two, service_id: s}]
consumers: [{username: jack}, {id: jack/credentials/1, plugins: {}}]`),
  ).toEqual([]);
});

test('tells everything at once, in the order of the file, with line, column, resource and value', () => {
  expect(
    problems(`stream_routes:
  - id: a
    server_port: 0
    prot: 1
    remote_addr: nowhere
  - id: b
    upstream_id: gone
  - id: b
    upstream: {type: magic, nodes: {"127.0.0.1:1": 1}}
upstreams: 7`),
  ).toEqual([
    '3:5: stream_routes/a: invalid configuration: property "server_port" validation failed: expected 0 to be at least 1 (stream_routes[1].server_port: expected at least 1, found 0)',
    '4:5: stream_routes/a: invalid configuration: additional properties forbidden, found prot (stream_routes[1].prot: found 1)',
    expect.stringMatching(
      /^5:5: stream_routes\/a: .*\(stream_routes\[1\]\.remote_addr: .*found "nowhere"\)$/,
    ),
    '8:5: stream_routes/b is written a second time and replaces the one in line 6',
    '8:5: stream_routes/b: unknown balancer type [magic], available are: roundrobin',
    '10:1: upstreams is not read: it must be a list (upstreams: expected a list, found 7)',
  ]);
});

describe('what a resource names', () => {
  test.for([
    ['an upstream', 'stream_routes: [{id: a, upstream_id: 7}]', 'names the upstream 7: the file has none'],
    ['a service', 'stream_routes: [{id: a, service_id: s}]', 'names the service s: the file has none'],
    [
      'an upstream, by a plugin',
      'plugin_configs: [{id: a, plugins: {traffic-split: {rules: [{weighted_upstreams: [{upstream_id: 7}]}]}}}]',
      'names the upstream 7: the file has none (plugin_configs[1].plugins.traffic-split.rules[1].weighted_upstreams[1].upstream_id: expected the id of a fitting upstream, found 7)',
    ],
    [
      'an ssl for the upstream',
      'upstreams: [{id: a, type: roundrobin, nodes: {"h:1": 1}, scheme: tls, tls: {client_cert_id: 5}}]',
      'names the ssl 5: the file has none',
    ],
    [
      'a consumer of a credential',
      'consumers: [{id: jack/credentials/1, plugins: {}}]',
      'belongs to the consumer jack: the file has none',
    ],
  ] as const)('must be there: %s', ([, text, message]) => {
    expect(problems(text)).toEqual([expect.stringContaining(message)]);
  });

  test('must be fit for it', () => {
    const text = `
${serverSsl(testPairs.one.key)}
upstreams: [{id: a, type: roundrobin, nodes: {"h:1": 1}, scheme: tls, tls: {client_cert_id: 5}}]`;

    expect(problems(text)).toEqual([expect.stringContaining('names the ssl 5: wrong ssl type')]);
  });

  test('may be invalid itself: that is told once', () => {
    expect(problems('upstreams: [{id: 1, nodes: 1}]\nstream_routes: [{id: a, upstream_id: 1}]')).toEqual([
      expect.stringContaining('1:21: upstreams/1: '),
    ]);
  });
});

test('a resource that is no map is told', () => {
  expect(problems('stream_routes: [text, []]')).toEqual([
    '1:17: stream_routes/arr_1: a resource must be a map (stream_routes[1]: expected a map, found "text")',
    '1:23: stream_routes/arr_2: a resource must be a map (stream_routes[2]: expected a map, found an empty list)',
  ]);
});

test('a plugin that does not exist is told', () => {
  expect(problems(`stream_routes: [{id: a, upstream: ${upstream}, plugins: {nope: {}}}]`)).toEqual([
    '1:17: stream_routes/a: unknown plugin [nope]',
  ]);
});

describe('a private key', () => {
  const keyring = ['qeddd145sfvddff3'];

  test('may be encrypted', () => {
    expect(problems(serverSsl(encryptText(testPairs.one.key, keyring)), keyring)).toEqual([]);
  });

  test('that cannot be opened is told, and not shown', () => {
    const sealed = encryptText(testPairs.one.key, ['anotherkeyof16ch']);

    expect(problems(serverSsl(sealed), keyring)).toEqual([
      '1:8: ssls/5: failed to decrypt previous encrypted key',
    ]);
  });

  test('of a wrong length is not shown', () => {
    expect(problems(serverSsl('short'))).toEqual([
      expect.stringMatching(/\(ssls\[1\]\.key: expected .*, found a string\)$/),
    ]);
  });
});
