import { says, stamped, testRows } from '../testing/rows.ts';

const upstream = { nodes: { 'mysql:3306': 1 }, type: 'roundrobin' };
const key = '/apisix/stream_routes/1';
const refusedPatch = says('not supported `PATCH` method for stream route');

testRows('stream_routes', [
  {
    claim: 'the guide’s route, with its id in the body',
    request: 'PUT /stream_routes',
    send: { id: 'stream-route-mysql', upstream },
    status: 201,
    body: {
      key: '/apisix/stream_routes/stream-route-mysql',
      value: stamped({ upstream }, 'stream-route-mysql'),
    },
    stored: { 'stream_routes/stream-route-mysql': stamped({ upstream }, 'stream-route-mysql') },
  },
  {
    claim: 'no default is written to the store',
    request: 'PUT /stream_routes/1',
    send: { remote_addr: '127.0.0.1', upstream: { nodes: { '127.0.0.1:8080': 1 } } },
    status: 201,
    body: {
      key,
      value: stamped({ remote_addr: '127.0.0.1', upstream: { nodes: { '127.0.0.1:8080': 1 } } }, '1'),
    },
    stored: {
      'stream_routes/1': stamped(
        { remote_addr: '127.0.0.1', upstream: { nodes: { '127.0.0.1:8080': 1 } } },
        '1',
      ),
    },
  },
  {
    claim: 'an upstream is not needed',
    request: 'PUT /stream_routes/1',
    send: { server_port: 9100 },
    status: 201,
    body: { key, value: stamped({ server_port: 9100 }, '1') },
  },
  {
    claim: 'a priority of our own',
    request: 'PUT /stream_routes/1',
    send: { priority: 5 },
    status: 201,
    body: { key, value: stamped({ priority: 5 }, '1') },
  },
  {
    claim: 'PATCH is refused',
    given: { 'stream_routes/1': {} },
    request: 'PATCH /stream_routes/1',
    send: {},
    status: 405,
    body: refusedPatch,
    answerHeaders: { 'x-api-version': 'v3' },
  },
  {
    claim: 'PATCH with a path is refused',
    request: 'PATCH /stream_routes/1/desc',
    send: 'x',
    status: 405,
    body: refusedPatch,
  },
  {
    claim: 'a ttl that is none comes before the method',
    request: 'PATCH /stream_routes/1?ttl=x',
    send: {},
    status: 400,
    body: says('invalid argument ttl: should be a number'),
  },
  {
    claim: 'no id',
    request: 'PUT /stream_routes',
    send: {},
    status: 400,
    body: says('missing stream route id'),
  },
  {
    claim: 'two ids',
    request: 'PUT /stream_routes/1',
    send: { id: '2' },
    status: 400,
    body: says('wrong stream route id'),
  },
  {
    claim: 'an id for a generated one',
    request: 'POST /stream_routes/1',
    send: {},
    status: 400,
    body: says('wrong stream route id, do not need it'),
  },
  {
    claim: 'no id to delete',
    request: 'DELETE /stream_routes',
    status: 400,
    body: says('missing stream route id'),
  },
  {
    claim: 'a generated id',
    request: 'POST /stream_routes',
    send: {},
    status: 201,
    body: { key: '/apisix/stream_routes/00000000000000000002', value: stamped({}, '00000000000000000002') },
  },
  {
    claim: 'a time in the upstream',
    request: 'PUT /stream_routes/1',
    send: { upstream: { ...upstream, create_time: 1 } },
    status: 400,
    body: says('the property is forbidden:  upstream.create_time'),
  },
  {
    claim: 'a time among the plugins',
    request: 'PUT /stream_routes/1',
    send: { plugins: { update_time: 1 } },
    status: 400,
    body: says('the property is forbidden:  plugins.update_time'),
  },
  {
    claim: 'an upstream that is none',
    request: 'PUT /stream_routes/1',
    send: { upstream: 1 },
    status: 400,
    body: says(
      'invalid configuration: property "upstream" validation failed: wrong type: expected object, got number',
    ),
  },
  {
    claim: 'plugins that are none',
    request: 'PUT /stream_routes/1',
    send: { plugins: 1 },
    status: 400,
    body: says(
      'invalid configuration: property "plugins" validation failed: wrong type: expected object, got number',
    ),
  },
  {
    claim: 'an embedded upstream is checked like any other',
    request: 'PUT /stream_routes/1',
    send: { upstream: { nodes: {}, type: 'chash' } },
    status: 400,
    body: says('missing key'),
  },
  {
    claim: 'a port out of range',
    request: 'PUT /stream_routes/1',
    send: { server_port: 65_536 },
    status: 400,
    body: says(
      'invalid configuration: property "server_port" validation failed: expected 65536 to be at most 65535',
    ),
  },
  {
    claim: 'a range of addresses',
    request: 'PUT /stream_routes/1',
    send: { remote_addr: '127.0.0.1/26' },
    status: 201,
    body: { key, value: stamped({ remote_addr: '127.0.0.1/26' }, '1') },
  },
  {
    claim: 'a range that is none',
    request: 'PUT /stream_routes/1',
    send: { remote_addr: ':/8' },
    status: 400,
    body: says('invalid remote_addr: :/8'),
  },
  {
    claim: 'a list of addresses',
    request: 'PUT /stream_routes/1',
    send: { remote_addr: ['127.0.0.1'] },
    status: 400,
    body: says(
      'invalid configuration: property "remote_addr" validation failed: object matches none of the required',
    ),
  },
  {
    claim: 'a filter of a plugin that is no expression',
    request: 'PUT /stream_routes/1',
    send: { plugins: { 'traffic-split': { _meta: { filter: [['server_port', 'is', 9100]] } } } },
    status: 400,
    body: says("failed to validate the 'vars' expression: invalid operator 'is'"),
  },
  {
    claim: 'an unknown plugin',
    request: 'PUT /stream_routes/1',
    send: { plugins: { 'mqttt-proxy': {} } },
    status: 400,
    body: says('unknown plugin [mqttt-proxy]'),
  },
  {
    claim: 'a plugin configured wrongly',
    request: 'PUT /stream_routes/1',
    send: { plugins: { 'ip-restriction': {} } },
    status: 400,
    body: says(
      'failed to check the configuration of stream plugin [ip-restriction]: value should match only one schema, but matches none',
    ),
  },
  {
    claim: 'an unknown protocol',
    request: 'PUT /stream_routes/1',
    send: { protocol: { name: 'x' } },
    status: 400,
    body: says('unknown protocol [x]'),
  },
  {
    claim: 'reading one',
    given: { 'stream_routes/1': { id: '1' } },
    request: 'GET /stream_routes/1',
    status: 200,
    body: { key, value: { id: '1' }, createdIndex: 2, modifiedIndex: 2 },
  },
  {
    claim: 'deleting one',
    given: { 'stream_routes/1': { id: '1' } },
    request: 'DELETE /stream_routes/1',
    status: 200,
    body: { deleted: '1', key },
  },
]);
