import { expect } from 'vitest';
import { says, stamped, testRows } from '../testing/rows.ts';

const empty = { total: 0, list: [] };
const nodes = { '127.0.0.1:3306': 1 };
const deep = `${'{"a":'.repeat(200_000)}[]${'}'.repeat(200_000)}`;
const created = { key: '/apisix/upstreams/1', value: stamped({ nodes }, '1') };
const writes = ['PUT /upstreams/1', 'POST /upstreams'];
const noResources = [
  [1, 'number'],
  ['x', 'string'],
  [true, 'boolean'],
  [null, 'userdata'],
  [[1], 'table'],
] as const;

testRows('paths', [
  {
    claim: 'an unknown resource',
    request: 'PUT /routs/1',
    status: 404,
    body: says('Unsupported resource type: routs'),
  },
  { claim: 'a slash at the end is nothing', request: 'GET /upstreams/', status: 200, body: empty },
  { claim: 'slashes in a row are one', request: 'GET //upstreams', status: 200, body: empty },
  { claim: 'dots are resolved', request: 'GET /services/../upstreams', status: 200, body: empty },
  { claim: 'percent-encoding is decoded', request: 'GET /upstr%65ams', status: 200, body: empty },
  {
    claim: 'broken percent-encoding',
    request: 'GET /upstreams/%zz',
    status: 400,
    body: says('malformed path'),
  },
  {
    claim: 'bytes that are no UTF-8',
    request: 'GET /upstreams/%ff',
    status: 400,
    body: says('malformed path'),
  },
  { claim: 'a NUL byte', request: 'GET /upstreams/%00', status: 400, body: says('malformed path') },
  { claim: 'dots above the root', request: 'GET /../../../x', status: 400, body: says('malformed path') },
  { claim: 'no resource', request: 'GET /apisix/admin/', status: 404, body: says('not found') },
  { claim: 'no resource, no slash', request: 'GET /apisix/admin', status: 404, body: says('not found') },
  { claim: 'reading elsewhere', request: 'GET /', status: 404, body: says('not found') },
  { claim: 'writing elsewhere', request: 'PUT /apisix/other', status: 405, body: says('not allowed') },
  { claim: 'an unknown method', request: 'PROPFIND /upstreams', status: 404, body: says('not found') },
  {
    claim: 'segments after the id are ignored by GET',
    request: 'GET /upstreams/1/a/b',
    status: 404,
    body: { message: 'Key not found' },
  },
]);

testRows('bodies', [
  {
    claim: 'broken JSON is shown with the reason',
    request: 'PUT /upstreams/1',
    sendText: '{',
    status: 400,
    body: { error_msg: expect.stringMatching(/^invalid request body: ./), req_body: '{' },
  },
  {
    claim: 'broken JSON is refused on GET as well',
    request: 'GET /upstreams',
    sendText: '{',
    headers: { 'content-length': 1 },
    status: 400,
    body: { error_msg: expect.stringMatching(/^invalid request body: ./), req_body: '{' },
  },
  {
    claim: 'the content type means nothing',
    request: 'PUT /upstreams/1',
    send: { nodes },
    headers: { 'content-type': 'no such / type' },
    status: 201,
    body: created,
  },
  {
    claim: 'a body without a length is read',
    request: 'PUT /upstreams/1',
    send: { nodes },
    headers: { 'transfer-encoding': 'chunked' },
    status: 201,
    body: created,
  },
  {
    claim: 'a body that announces too much is not read',
    request: 'PUT /upstreams/1',
    sendText: ' '.repeat(1_678_025),
    status: 400,
    body: says('invalid request body: request size 1678025 is greater than the maximum size 1572864 allowed'),
  },
  {
    claim: 'a body that becomes too much is read no further',
    request: 'PUT /upstreams/1',
    sendText: ' '.repeat(1_678_025),
    headers: { 'transfer-encoding': 'chunked' },
    status: 400,
    body: says(
      expect.stringMatching(
        /^invalid request body: request size \d+ is greater than the maximum size 1572864 allowed$/,
      ),
    ),
  },
  {
    claim: 'a body of the largest size is read',
    request: 'PUT /upstreams/1',
    sendText: JSON.stringify({ nodes }).padEnd(1_572_864),
    status: 201,
    body: created,
  },
  ...['PUT', 'PATCH'].map((method) => ({
    claim: 'a body nested without end is refused',
    request: `${method} /upstreams/1`,
    sendText: deep,
    given: { 'upstreams/1': { id: '1', nodes } },
    status: 400,
    body: { error_msg: 'invalid request body: nested more than 1000 levels deep', req_body: deep },
  })),
  ...writes.map((request) => ({
    claim: 'no body',
    request,
    status: 400,
    body: says('missing configurations'),
  })),
  ...writes.flatMap((request) =>
    noResources.map(([send, type]) => ({
      claim: `${JSON.stringify(send)} is no resource`,
      request,
      send,
      status: 400,
      body: says(`invalid configuration: wrong type: expected object, got ${type}`),
    })),
  ),
  {
    claim: 'an empty array is an empty object, and stored as one',
    request: 'PUT /stream_routes/1',
    send: [],
    status: 201,
    body: { key: '/apisix/stream_routes/1', value: stamped({}, '1') },
    stored: { 'stream_routes/1': stamped({}, '1') },
  },
]);

testRows('ttl', [
  ...['abc', '', '%20', '1s'].flatMap((ttl) =>
    ['GET', 'PUT', 'DELETE'].map((method) => ({
      claim: 'must be a number',
      request: `${method} /upstreams/1?ttl=${ttl}`,
      status: 400,
      body: says('invalid argument ttl: should be a number'),
    })),
  ),
  {
    claim: 'must be whole where it is used',
    request: 'PUT /upstreams/1?ttl=1.5',
    send: { nodes },
    status: 503,
    body: says('ttl must be integer'),
  },
  {
    claim: 'has a limit',
    request: 'PUT /upstreams/1?ttl=9000000001',
    send: { nodes },
    status: 503,
    body: says('too large lease TTL'),
  },
  ...['60', '0', '-1', '6e1'].map((ttl) => ({
    claim: 'is accepted',
    request: `PUT /upstreams/1?ttl=${ttl}`,
    send: { nodes },
    status: 201,
    body: created,
  })),
  {
    claim: 'may be any number where it is not used',
    request: 'DELETE /upstreams/1?ttl=1.5',
    status: 404,
    body: { message: 'Key not found' },
  },
]);

const disabled = says('stream mode is disabled, can not add stream routes');

testRows(
  'without a stream mode',
  [
    ...[
      'GET /stream_routes',
      'PUT /stream_routes/1',
      'PATCH /stream_routes/1',
      'DELETE /stream_routes/1',
    ].map((request) => ({ claim: 'stream routes are refused', request, status: 400, body: disabled })),
    { claim: 'other resources are served', request: 'GET /upstreams', status: 200, body: empty },
  ],
  { isStreamEnabled: () => false },
);
