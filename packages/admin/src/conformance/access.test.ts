import { expect } from 'vitest';
import { says, testRows } from '../testing/rows.ts';

const keys = {
  adminKeys: [
    { name: 'ops', key: 'the-admin-key', role: 'admin' },
    { name: 'guest', key: 'the-viewer-key', role: 'viewer' },
    { name: 'none', key: '', role: 'admin' },
    { name: 'second', key: 'another-admin-key', role: 'admin' },
  ],
};
const refused = (description: string): unknown => ({ error_msg: 'failed to check token', description });
const empty = { total: 0, list: [] };
const admin = { 'x-api-key': 'the-admin-key' };
const viewer = { 'x-api-key': 'the-viewer-key' };

testRows(
  'authentication',
  [
    { claim: 'a key is needed', request: 'GET /upstreams', status: 401, body: refused('missing apikey') },
    {
      claim: 'a refusal has no API version',
      request: 'GET /upstreams',
      status: 401,
      body: refused('missing apikey'),
      answerHeaders: { 'x-api-version': undefined, 'content-type': 'application/json' },
    },
    {
      claim: 'a wrong key is refused',
      request: 'GET /upstreams',
      headers: { 'x-api-key': 'the-admin-keys' },
      status: 401,
      body: refused('wrong apikey'),
    },
    {
      claim: 'an empty key opens nothing, though an entry has none',
      request: 'GET /upstreams',
      headers: { 'x-api-key': '' },
      status: 401,
      body: refused('wrong apikey'),
    },
    {
      claim: 'the header is accepted, and the answer names the API version',
      request: 'GET /upstreams',
      headers: admin,
      status: 200,
      body: empty,
      answerHeaders: { 'x-api-version': 'v3', server: 'APISIX/3.0.0', 'content-type': 'application/json' },
    },
    {
      claim: 'the argument is accepted',
      request: 'GET /upstreams?api_key=the-admin-key',
      status: 200,
      body: empty,
    },
    {
      claim: 'the cookie is accepted',
      request: 'GET /upstreams',
      headers: { cookie: 'a=b; x_api_key=the-admin-key' },
      status: 200,
      body: empty,
    },
    {
      claim: 'a wrong argument is not made up for by the header',
      request: 'GET /upstreams?api_key=wrong',
      headers: admin,
      status: 401,
      body: refused('wrong apikey'),
    },
    {
      claim: 'a wrong header is not made up for by the cookie',
      request: 'GET /upstreams',
      headers: { 'x-api-key': 'wrong', cookie: 'x_api_key=the-admin-key' },
      status: 401,
      body: refused('wrong apikey'),
    },
    { claim: 'a viewer may read', request: 'GET /upstreams', headers: viewer, status: 200, body: empty },
    ...['PUT', 'POST', 'PATCH', 'DELETE'].map((method) => ({
      claim: 'a viewer may not write',
      request: `${method} /upstreams/1`,
      headers: viewer,
      status: 401,
      body: refused('invalid method for role viewer'),
    })),
    {
      claim: 'the key is asked for before anything is said about the resource',
      request: 'PUT /routs/1',
      status: 401,
      body: refused('missing apikey'),
    },
    {
      claim: 'the key is asked for before the body is looked at',
      request: 'PUT /upstreams/1',
      sendText: '{',
      status: 401,
      body: refused('missing apikey'),
    },
    {
      claim: 'plugin and schema endpoints need it too',
      request: 'GET /plugins/list',
      status: 401,
      body: refused('missing apikey'),
    },
    { claim: 'anyone may ask whether the API is there', request: 'HEAD /apisix/admin', status: 200 },
    { claim: 'with a slash at the end as well', request: 'HEAD /apisix/admin/', status: 200 },
    {
      claim: 'the second of several keys is accepted',
      request: 'PUT /services/1',
      send: {},
      headers: { 'x-api-key': 'another-admin-key' },
      status: 201,
      body: expect.anything(),
    },
    {
      claim: 'a part of a key opens nothing',
      request: 'GET /upstreams',
      headers: { 'x-api-key': 'the-admin' },
      status: 401,
      body: refused('wrong apikey'),
    },
    {
      claim: 'a key in other letters opens nothing',
      request: 'GET /upstreams',
      headers: { 'x-api-key': 'THE-ADMIN-KEY' },
      status: 401,
      body: refused('wrong apikey'),
    },
    {
      claim: 'a viewer may not HEAD',
      request: 'HEAD /upstreams',
      headers: viewer,
      status: 404,
    },
    { claim: 'HEAD has no other endpoint', request: 'HEAD /upstreams', headers: admin, status: 404 },
    {
      claim: 'without cross-origin calls there is no such endpoint',
      request: 'OPTIONS /upstreams',
      headers: admin,
      status: 404,
      body: says('not found'),
      answerHeaders: { 'access-control-allow-origin': undefined },
    },
  ],
  keys,
);

testRows(
  'with admin_key_required: false',
  [
    { claim: 'no key is needed', request: 'GET /upstreams', status: 200, body: empty },
    {
      claim: 'any key is accepted',
      request: 'DELETE /upstreams/1',
      headers: { 'x-api-key': 'whatever' },
      status: 404,
      body: { message: 'Key not found' },
    },
  ],
  { ...keys, keyRequired: false },
);

testRows('without admin_key', [
  { claim: 'no key is needed', request: 'GET /upstreams', status: 200, body: empty },
]);

testRows(
  'an address outside allow_admin',
  [
    {
      claim: 'is refused',
      request: 'GET /upstreams',
      status: 403,
      body: says('this address may not use the Admin API'),
    },
    { claim: 'is refused even a HEAD', request: 'HEAD /apisix/admin', status: 403 },
    {
      claim: 'is refused before the path is looked at',
      request: 'GET /',
      status: 403,
      body: says('this address may not use the Admin API'),
    },
  ],
  { allowAdmin: ['192.0.2.0/24', '::1'] },
);

testRows(
  'an address inside allow_admin',
  [{ claim: 'is served', request: 'GET /upstreams', status: 200, body: empty }],
  { allowAdmin: ['127.0.0.0/24'] },
);

testRows(
  'cross-origin calls',
  [
    {
      claim: 'OPTIONS needs no key and says what is allowed',
      request: 'OPTIONS /upstreams',
      status: 200,
      answerHeaders: {
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': '*',
        'access-control-max-age': '3600',
        'access-control-allow-methods': 'POST, GET, PUT, OPTIONS, DELETE, PATCH',
        'access-control-allow-headers': '*',
        'content-length': '0',
        'content-type': 'text/plain',
      },
    },
    {
      claim: 'OPTIONS is answered wherever it is asked',
      request: 'OPTIONS /elsewhere',
      status: 200,
      answerHeaders: { 'access-control-allow-headers': '*', 'x-api-version': undefined },
    },
    {
      claim: 'every answer allows them, a refusal too',
      request: 'GET /upstreams',
      status: 401,
      body: refused('missing apikey'),
      answerHeaders: { 'access-control-allow-origin': '*', 'access-control-max-age': expect.any(String) },
    },
  ],
  { ...keys, cors: true },
);
