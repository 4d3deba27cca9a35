import { says, stamped, testRows } from '../testing/rows.ts';

const key = '/apisix/services/1';
const given = { 'services/1': { id: '1', desc: 'old', hosts: ['a'], create_time: 1000, update_time: 2000 } };

testRows(
  'graphql_cost_decorations',
  ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'].flatMap((method) =>
    ['/services/1/graphql_cost_decorations', '/services/1/graphql_cost_decorations/2'].map((path) => ({
      claim: 'are not served, and not taken for the service',
      given: { 'services/1': { id: '1' } },
      request: `${method} ${path}`,
      ...(method === 'GET' || method === 'DELETE' ? {} : { send: {} }),
      status: 404,
      body: says('Unsupported resource type: graphql_cost_decorations'),
      stored: { 'services/1': { id: '1' } },
    })),
  ),
);

testRows('services', [
  {
    claim: 'nothing is required',
    request: 'PUT /services/1',
    send: {},
    status: 201,
    body: { key, value: stamped({}, '1') },
  },
  { claim: 'no id', request: 'PUT /services', send: {}, status: 400, body: says('missing service id') },
  {
    claim: 'a generated id',
    request: 'POST /services',
    send: { name: 'x' },
    status: 201,
    body: {
      key: '/apisix/services/00000000000000000002',
      value: stamped({ name: 'x' }, '00000000000000000002'),
    },
  },
  {
    claim: 'a path changes one member only',
    given,
    request: 'PATCH /services/1/desc',
    send: 'x',
    status: 200,
    body: { key, value: stamped({ desc: 'x', hosts: ['a'] }, '1', 1000) },
  },
  {
    claim: 'null removes a member',
    given,
    request: 'PATCH /services/1',
    send: { desc: null },
    status: 200,
    body: { key, value: stamped({ hosts: ['a'] }, '1', 1000) },
  },
  {
    claim: 'an array replaces',
    given,
    request: 'PATCH /services/1',
    send: { hosts: ['b'] },
    status: 200,
    body: { key, value: stamped({ desc: 'old', hosts: ['b'] }, '1', 1000) },
  },
  {
    claim: 'a path below text',
    given,
    request: 'PATCH /services/1/desc/x',
    send: 1,
    status: 400,
    body: says('invalid sub-path: /desc/x'),
  },
  {
    claim: 'a plugin that is not there',
    request: 'PUT /services/1',
    send: { plugins: { 'mqtt-proxy': {} } },
    status: 400,
    body: says('unknown plugin [mqtt-proxy]'),
  },
  {
    claim: 'a plugin configured wrongly',
    request: 'PUT /services/1',
    send: { plugins: { 'ip-restriction': {} } },
    status: 400,
    body: says(
      'failed to check the configuration of plugin ip-restriction err: value should match only one schema, but matches none',
    ),
  },
  { claim: 'deleting one', given, request: 'DELETE /services/1', status: 200, body: { deleted: '1', key } },
]);
