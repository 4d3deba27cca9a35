import { stamped, testRows } from '../testing/rows.ts';

const desc = { desc: 'first' };
const given = { 'services/1': { id: '1', name: 'a' }, 'services/2': { id: '2', name: 'b' } };
const item = (id: string, name: string, index: number): object => ({
  key: `/apisix/services/${id}`,
  value: { id, name },
  createdIndex: index,
  modifiedIndex: index,
});
const all = {
  action: 'get',
  count: 2,
  node: { key: '/apisix/services', dir: true, nodes: [item('1', 'a', 2), item('2', 'b', 3)] },
};
const answerHeaders = { 'x-api-version': 'v2', 'content-type': 'application/json' };

testRows(
  'with admin_api_version: v2',
  [
    {
      claim: 'creates',
      request: 'PUT /services/1',
      send: desc,
      status: 201,
      body: { action: 'set', node: { key: '/apisix/services/1', value: stamped(desc, '1') } },
      answerHeaders,
    },
    {
      claim: 'replaces',
      given,
      request: 'PUT /services/1',
      send: desc,
      status: 200,
      body: { action: 'set', node: { key: '/apisix/services/1', value: stamped(desc, '1') } },
    },
    {
      claim: 'creates with an id of its own',
      request: 'POST /services',
      send: desc,
      status: 201,
      body: {
        action: 'create',
        node: {
          key: '/apisix/services/00000000000000000002',
          value: stamped(desc, '00000000000000000002'),
        },
      },
    },
    {
      claim: 'changes a part',
      given: { 'services/1': stamped(desc, '1') },
      request: 'PATCH /services/1/desc',
      send: 'second',
      status: 200,
      body: {
        action: 'compareAndSwap',
        node: { key: '/apisix/services/1', value: stamped({ desc: 'second' }, '1') },
      },
    },
    {
      claim: 'gets one',
      given,
      request: 'GET /services/1',
      status: 200,
      body: { action: 'get', count: 1, node: item('1', 'a', 2) },
      answerHeaders: { ...answerHeaders, etag: '"2"' },
    },
    { claim: 'gets all', given, request: 'GET /services', status: 200, body: all, answerHeaders },
    {
      claim: 'gets none',
      request: 'GET /services',
      status: 200,
      body: { action: 'get', count: 0, node: { key: '/apisix/services', dir: true, nodes: [] } },
    },
    ...['page=1&page_size=2', 'name=a', 'label=x', 'name=('].map((query) => ({
      claim: 'has no arguments for lists',
      given,
      request: `GET /services?${query}`,
      status: 200,
      body: all,
    })),
    {
      claim: 'deletes',
      given,
      request: 'DELETE /services/1',
      status: 200,
      body: { action: 'delete', deleted: '1', key: '/apisix/services/1', node: {} },
    },
    {
      claim: 'finds nothing',
      request: 'GET /services/1',
      status: 404,
      body: { message: 'Key not found' },
      answerHeaders,
    },
  ],
  { apiVersion: () => 'v2' },
);
