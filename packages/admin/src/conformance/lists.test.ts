import { says, testRows } from '../testing/rows.ts';

/** Upstreams 11, 10, …, 1 in the order in which they were created, each named after its id. */
const eleven = Object.fromEntries(
  Array.from({ length: 11 }, (_, index) => {
    const id = String(11 - index);
    return [`upstreams/${id}`, { id, name: id }];
  }),
);
const item = (id: string, value: object, index: number): unknown => ({
  key: `/apisix/${id}`,
  value,
  createdIndex: index,
  modifiedIndex: index,
});
const numbered = (id: number): unknown =>
  item(`upstreams/${id}`, { id: String(id), name: String(id) }, 13 - id);
const byKey = [1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9].map(numbered);
const byAge = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map(numbered);

testRows('paging', [
  {
    claim: 'is off without arguments',
    given: eleven,
    request: 'GET /upstreams',
    status: 200,
    body: { total: 11, list: byKey },
  },
  {
    claim: 'the first page, oldest first',
    given: eleven,
    request: 'GET /upstreams?page=1&page_size=10',
    status: 200,
    body: { total: 11, list: byAge.slice(0, 10) },
  },
  {
    claim: 'the last page',
    given: eleven,
    request: 'GET /upstreams?page=2&page_size=10',
    status: 200,
    body: { total: 11, list: byAge.slice(10) },
  },
  {
    claim: 'a page beyond the end is an empty list',
    given: eleven,
    request: 'GET /upstreams?page=3&page_size=10',
    status: 200,
    body: { total: 11, list: [] },
  },
  ...['0', '-1', '0.5'].map((page) => ({
    claim: 'a page before the first is the first',
    given: eleven,
    request: `GET /upstreams?page=${page}&page_size=500`,
    status: 200,
    body: { total: 11, list: byAge },
  })),
  ...[
    'page=1',
    'page_size=10',
    'page_size=2',
    'page=x&page_size=10',
    'page=1&page_size=x',
    'page=&page_size=10',
  ].map((query) => ({
    claim: 'is off unless both are numbers',
    given: eleven,
    request: `GET /upstreams?${query}`,
    status: 200,
    body: { total: 11, list: byKey },
  })),
  ...['2', '9', '501', '0', '-10'].map((size) => ({
    claim: 'a size out of range',
    request: `GET /upstreams?page=1&page_size=${size}`,
    status: 400,
    body: says('page_size must be between 10 and 500'),
  })),
  {
    claim: 'counts what the filters left',
    given: eleven,
    request: 'GET /upstreams?page=1&page_size=10&name=1',
    status: 200,
    body: { total: 3, list: [11, 10, 1].map(numbered) },
  },
]);

const nameless = { 'upstreams/1': { id: '1' } };
const services = {
  'services/1': { id: '1', name: 'abc', labels: { env: 'production' } },
  'services/2': { id: '2', name: 'b', labels: { version: 'v1' } },
};
const first = item('services/1', services['services/1'], 2);
const second = item('services/2', services['services/2'], 3);

testRows('filters', [
  {
    claim: 'a name is searched for anywhere',
    given: eleven,
    request: 'GET /upstreams?name=1',
    status: 200,
    body: { total: 3, list: [1, 10, 11].map(numbered) },
  },
  {
    claim: 'a name is a regular expression',
    given: services,
    request: 'GET /services?name=%5Eb',
    status: 200,
    body: { total: 1, list: [second] },
  },
  {
    claim: 'an empty name is found everywhere',
    given: services,
    request: 'GET /services?name=',
    status: 200,
    body: { total: 2, list: [first, second] },
  },
  {
    claim: 'what has no name is called nil',
    given: nameless,
    request: 'GET /upstreams?name=nil',
    status: 200,
    body: { total: 1, list: [item('upstreams/1', { id: '1' }, 2)] },
  },
  {
    claim: 'a pattern that is none',
    given: services,
    request: 'GET /services?name=(',
    status: 400,
    body: says('invalid argument name: Invalid regular expression: /(/: Unterminated group'),
  },
  {
    claim: 'a pattern without end is stopped',
    given: { 'services/1': { id: '1', name: `${'a'.repeat(200)}!` } },
    request: 'GET /services?name=(a%2B)%2B%24',
    status: 400,
    body: says('invalid argument name: the search took longer than 500 ms'),
  },
  {
    claim: 'a label is looked for by its name',
    given: services,
    request: 'GET /services?label=env',
    status: 200,
    body: { total: 1, list: [first] },
  },
  ...['production', 'env:production', '', 'toString'].map((label) => ({
    claim: 'a label is not looked for by anything else',
    given: services,
    request: `GET /services?label=${label}`,
    status: 200,
    body: { total: 0, list: [] },
  })),
  {
    claim: 'what has no address matches none',
    given: services,
    request: 'GET /services?uri=.',
    status: 200,
    body: { total: 0, list: [] },
  },
  {
    claim: 'filters are combined',
    given: services,
    request: 'GET /services?name=b&label=version',
    status: 200,
    body: { total: 1, list: [second] },
  },
]);

const routes = {
  'stream_routes/1': { id: '1', service_id: '1' },
  'stream_routes/2': { id: '2', service_id: '1', upstream_id: '1' },
  'stream_routes/3': { id: '3', service_id: 1 },
};
const route1 = item('stream_routes/1', routes['stream_routes/1'], 2);
const route2 = item('stream_routes/2', routes['stream_routes/2'], 3);
const route3 = item('stream_routes/3', routes['stream_routes/3'], 4);

testRows('the filter argument', [
  {
    claim: 'compares a field, also its type',
    given: routes,
    request: 'GET /stream_routes?filter=service_id%3D1',
    status: 200,
    body: { total: 2, list: [route1, route2] },
  },
  {
    claim: 'needs all fields to be the same',
    given: routes,
    request: 'GET /stream_routes?filter=service_id%3D1%26upstream_id%3D1',
    status: 200,
    body: { total: 1, list: [route2] },
  },
  {
    claim: 'takes the last of a field given twice',
    given: routes,
    request: 'GET /stream_routes?filter=service_id%3D2%26service_id%3D1',
    status: 200,
    body: { total: 2, list: [route1, route2] },
  },
  {
    claim: 'ignores other fields',
    given: routes,
    request: 'GET /stream_routes?filter=id%3D1',
    status: 200,
    body: { total: 3, list: [route1, route2, route3] },
  },
  {
    claim: 'is ignored for other kinds',
    given: services,
    request: 'GET /services?filter=upstream_id%3D1',
    status: 200,
    body: { total: 2, list: [first, second] },
  },
]);
