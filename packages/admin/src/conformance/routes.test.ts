import { encryptText } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import { says, stamped, testRows } from '../testing/rows.ts';
import type { Row } from '../testing/rows.ts';

const key = '/apisix/routes/1';
const upstream = { type: 'roundrobin', nodes: { '127.0.0.1:1980': 1 } };
const valid = { uri: '/index.html', upstream };
const given = { 'routes/1': { ...valid, id: '1', create_time: 1000, update_time: 2000 } };
const invalid = 'invalid configuration: ';

testRows('routes', [
  {
    claim: 'a new one, without defaults',
    request: 'PUT /routes/1',
    send: valid,
    status: 201,
    body: { key, value: stamped(valid, '1') },
    stored: { 'routes/1': stamped(valid, '1') },
  },
  {
    claim: 'a generated id',
    request: 'POST /routes',
    send: valid,
    status: 201,
    body: {
      key: '/apisix/routes/00000000000000000002',
      value: stamped(valid, '00000000000000000002'),
    },
  },
  ...[
    { uris: ['/a', '/b/*'], plugins: {} },
    { uri: '/*', host: '*.example.com', methods: ['GET', 'PURGE'], plugins: {} },
    { uri: '/*', hosts: ['a.example.com', '*'], remote_addrs: ['127.0.0.1', '10.0.0.0/8'], plugins: {} },
    { uri: '/*', vars: [['arg_a', '==', 'b']], priority: -1, plugins: {} },
    { uri: '/*', vars: ['OR', ['arg_a', '==', 'b'], ['http_x', '!', 'in', [1]]], plugins: {} },
    { uri: '/*', timeout: { connect: 1, send: 1, read: 1 }, status: 0, enable_websocket: true, plugins: {} },
    { uri: '/*', script: 'local a = 1', filter_func: 'function(vars) return true end' },
    { uri: '/*', plugins: { 'ip-restriction': { whitelist: ['::1'] } }, name: 'x', labels: { a: 'b' } },
    { uri: '/*', plugins: { syslog: { _meta: { filter: [['arg_a', '==', '1']] } } } },
  ].map((send): Row => ({
    claim: Object.keys(send).join(', '),
    request: 'PUT /routes/1',
    send,
    status: 201,
    body: { key, value: stamped(send, '1') },
  })),
  ...[
    {
      send: { upstream },
      text: `${invalid}allOf 1 failed: value should match only one schema, but matches none`,
    },
    {
      send: { uri: '/', uris: ['/'], upstream },
      text: `${invalid}allOf 1 failed: value should match only one schema, but matches both schemas 1 and 2`,
    },
    {
      send: { ...valid, uri: 666 },
      text: `${invalid}property "uri" validation failed: wrong type: expected string, got number`,
    },
    {
      send: { ...valid, uri: '' },
      text: `${invalid}property "uri" validation failed: string too short, expected at least 1, got 0`,
    },
    {
      send: { uris: [], upstream },
      text: `${invalid}property "uris" validation failed: expect array to have at least 1 items`,
    },
    {
      send: { ...valid, methods: ['GET', 'FETCH'] },
      text: `${invalid}property "methods" validation failed: failed to validate item 2: matches none of the enum values`,
    },
    {
      send: { ...valid, host: 'a b' },
      text: String.raw`${invalid}property "host" validation failed: failed to match pattern "^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$" with "a b"`,
    },
    { send: { ...valid, host: 'a', hosts: ['a'] }, text: 'only one of host or hosts is allowed' },
    {
      send: { ...valid, remote_addr: '127.0.0.1', remote_addrs: ['127.0.0.1'] },
      text: 'only one of remote_addr or remote_addrs is allowed',
    },
    { send: { ...valid, remote_addr: ':/8' }, text: 'invalid remote_addr: :/8' },
    {
      send: { ...valid, vars: [['arg_a', '=', 1]] },
      text: "failed to validate the 'vars' expression: invalid operator '='",
    },
    {
      send: { ...valid, vars: 'x' },
      text: `${invalid}property "vars" validation failed: wrong type: expected array, got string`,
    },
    {
      send: { ...valid, filter_func: 'return true' },
      text: `${invalid}property "filter_func" validation failed: failed to match pattern "^function" with "return true"`,
    },
    {
      send: { ...valid, timeout: { connect: 1 } },
      text: `${invalid}property "timeout" validation failed: property "send" is required`,
    },
    {
      send: { ...valid, status: 2 },
      text: `${invalid}property "status" validation failed: matches none of the enum values`,
    },
    { send: { ...valid, other: 1 }, text: `${invalid}additional properties forbidden, found other` },
    {
      send: { ...valid, script: 'local a = 1', plugins: {} },
      text: `${invalid}value wasn't supposed to match schema`,
    },
    { send: { ...valid, plugins: { x: {} } }, text: 'unknown plugin [x]' },
    {
      send: { ...valid, plugins: { syslog: { _meta: { filter: [['a']] } } } },
      text: "failed to validate the 'vars' expression: rule too short",
    },
    {
      send: { uri: '/', upstream: { ...upstream, type: 'chash' } },
      text: 'missing key',
    },
    {
      send: { uri: '/', upstream: { ...upstream, pass_host: 'rewrite' } },
      text: "`upstream_host` can't be empty when `pass_host` is `rewrite`",
    },
    {
      send: { ...valid, upstream_id: 'x' },
      text: 'failed to fetch upstream info by upstream id [x], response code: 404',
    },
    {
      send: { ...valid, service_id: 'x' },
      text: 'failed to fetch service info by service id [x], response code: 404',
    },
    {
      send: { ...valid, plugin_config_id: 'x' },
      text: 'failed to fetch plugin config info by plugin config id [x], response code: 404',
    },
    { send: { ...valid, create_time: 1 }, text: 'the property is forbidden:  create_time' },
    { send: { ...valid, id: '2' }, text: 'wrong route id' },
  ].map(({ send, text }): Row => ({
    claim: text,
    request: 'PUT /routes/1',
    send,
    status: 400,
    body: says(text),
    stored: { 'routes/1': undefined },
  })),
  {
    claim: 'nothing to do with a request',
    request: 'PUT /routes/1',
    send: { uri: '/', plugin_config_id: '1' },
    status: 400,
    body: says(
      `${invalid}object matches none of the required: ["plugins"] or ["upstream"] or ["upstream_id"] or ["service_id"] or ["script"]`,
    ),
  },
  {
    claim: 'a patch merges',
    given,
    request: 'PATCH /routes/1',
    send: { methods: ['GET'], upstream: { nodes: { '127.0.0.1:1980': null, '127.0.0.1:1981': 1 } } },
    status: 200,
    body: {
      key,
      value: stamped(
        { uri: '/index.html', upstream: { ...upstream, nodes: { '127.0.0.1:1981': 1 } }, methods: ['GET'] },
        '1',
        1000,
      ),
    },
  },
  {
    claim: 'a path replaces',
    given,
    request: 'PATCH /routes/1/upstream/nodes',
    send: { 'a:1': 1 },
    status: 200,
    body: { key, value: stamped({ ...valid, upstream: { ...upstream, nodes: { 'a:1': 1 } } }, '1', 1000) },
  },
  {
    claim: 'found by its path',
    given: { ...given, 'routes/2': { id: '2', uris: ['/a', '/find-me'], plugins: {} } },
    request: 'GET /routes?uri=find',
    status: 200,
    body: {
      total: 1,
      list: [
        {
          key: '/apisix/routes/2',
          value: { id: '2', uris: ['/a', '/find-me'], plugins: {} },
          createdIndex: 3,
          modifiedIndex: 3,
        },
      ],
    },
  },
  {
    claim: 'found by what it names',
    given: { ...given, 'routes/2': { id: '2', uri: '/', service_id: '1' } },
    request: 'GET /routes?filter=service_id%3D1',
    status: 200,
    body: {
      total: 1,
      list: [
        {
          key: '/apisix/routes/2',
          value: { id: '2', uri: '/', service_id: '1' },
          createdIndex: 3,
          modifiedIndex: 3,
        },
      ],
    },
  },
  { claim: 'deleting one', given, request: 'DELETE /routes/1', status: 200, body: { deleted: '1', key } },
  {
    claim: 'the schema alone',
    request: 'POST /schema/validate/routes',
    send: { ...valid, uri: 666 },
    status: 400,
    body: says('property "uri" validation failed: wrong type: expected string, got number'),
  },
]);

const split = {
  'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: 1 }] }] },
};

testRows('what routes use is not deleted', [
  ...[
    { segment: 'upstreams', document: { upstream_id: '1' }, text: 'can not delete this upstream, route' },
    {
      segment: 'upstreams',
      document: { plugins: split },
      text: 'can not delete this upstream, plugin in route',
    },
    { segment: 'services', document: { service_id: 1 }, text: 'can not delete this service directly, route' },
    {
      segment: 'plugin_configs',
      document: { plugin_config_id: '1', plugins: {} },
      text: 'can not delete this plugin config, route',
    },
    {
      segment: 'protos',
      document: { plugins: { 'grpc-transcode': { proto_id: '1' } } },
      text: 'can not delete this proto, route',
    },
    {
      segment: 'ssls',
      document: { upstream: { nodes: {}, tls: { client_cert_id: '1' } } },
      text: 'can not delete this ssl, route',
    },
  ].map(({ segment, document, text }): Row => ({
    claim: text,
    given: { [`${segment}/1`]: { id: '1' }, 'routes/9': { id: '9', uri: '/', ...document } },
    request: `DELETE /${segment}/1`,
    status: 400,
    body: says(`${text} [9] is still using it now`),
    stored: { [`${segment}/1`]: { id: '1' } },
  })),
  {
    claim: 'a route is told before a service',
    given: {
      'upstreams/1': { id: '1', nodes: {} },
      'services/9': { id: '9', upstream_id: '1' },
      'routes/9': { id: '9', uri: '/', upstream_id: '1' },
    },
    request: 'DELETE /upstreams/1',
    status: 400,
    body: says('can not delete this upstream, route [9] is still using it now'),
  },
]);

const keyring = ['qeddd145sfvddff3'];
const { cert, key: privateKey } = testPairs.one;
const withKey = (client_key: string) => ({
  uri: '/',
  upstream: { ...upstream, tls: { client_cert: cert, client_key } },
});

testRows(
  'keys in routes',
  [
    {
      claim: 'are stored encrypted',
      request: 'PUT /routes/1',
      send: withKey(privateKey),
      status: 201,
      body: { key, value: stamped(withKey(encryptText(privateKey, keyring)), '1') },
      stored: { 'routes/1': stamped(withKey(encryptText(privateKey, keyring)), '1') },
    },
  ],
  { keyring },
);
