import { testPairs } from '@apisix-ts/config/contract';
import { expect } from 'vitest';
import { says, testRows } from '../testing/rows.ts';
import type { Row } from '../testing/rows.ts';

const request = 'POST /configs/validate';
const route = { id: 'r1', uri: '/', plugins: {} };

function failed(...errors: object[]): object {
  return { error_msg: 'Configuration validation failed', errors };
}

testRows('configs/validate', [
  {
    claim: 'nothing is stored, and no reference looked up',
    request,
    send: {
      routes: [route, { ...route, id: 2, upstream_id: 'nowhere' }],
      routes_conf_version: 3,
      ssls: [{ ...testPairs.one, id: 's', sni: 'one.example.com' }],
      consumers: [{ username: 'jack' }, { id: 'jack/credentials/1', plugins: { 'key-auth': { key: 'k' } } }],
      secrets: [{ id: 'vault/1', uri: 'u', prefix: 'p', token: 't' }],
      plugin_metadata: [{ id: 'syslog', log_format: {} }],
      global_rules: [{ id: 1, plugins: {} }],
      unknown: 1,
    },
    status: 200,
    body: {},
    stored: { 'routes/r1': undefined, 'consumers/jack': undefined },
    answerHeaders: { 'x-api-version': undefined },
  },
  { claim: 'an empty configuration', request, send: {}, status: 200, body: {} },
  {
    claim: 'all faults are told',
    request,
    send: {
      routes: [{ ...route, uri: 1 }, route, { plugins: {} }],
      services: [{ id: 's', plugins: { x: {} } }],
    },
    status: 400,
    body: failed(
      { resource_type: 'services', resource_id: 's', index: 0, error: 'unknown plugin [x]' },
      {
        resource_type: 'routes',
        resource_id: 'r1',
        index: 0,
        error:
          'invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
      },
      { resource_type: 'routes', resource_id: 'r1', index: 1, error: 'found duplicate id r1 in routes' },
      {
        resource_type: 'routes',
        resource_id: '',
        index: 2,
        error: 'invalid configuration: allOf 1 failed: value should match only one schema, but matches none',
      },
    ),
  },
  {
    claim: 'a name twice',
    request,
    send: { consumers: [{ username: 'jack' }, { username: 'jack' }] },
    status: 400,
    body: failed({
      resource_type: 'consumers',
      resource_id: 'jack',
      index: 1,
      error: 'found duplicate username jack in consumers',
    }),
  },
  {
    claim: 'an id as a number and as text is the same',
    request,
    send: {
      protos: [
        { id: 1, content: 'x' },
        { id: '1', content: 'y' },
      ],
    },
    status: 400,
    body: failed({
      resource_type: 'protos',
      resource_id: '1',
      index: 1,
      error: 'found duplicate id 1 in protos',
    }),
  },
  {
    claim: 'a version that is no number',
    request,
    send: { routes_conf_version: 'x' },
    status: 400,
    body: failed({ resource_type: 'routes', error: 'routes_conf_version must be a number, got string' }),
  },
  {
    claim: 'a credential twice',
    request,
    send: {
      consumers: [
        { id: 'j/credentials/1', plugins: {} },
        { id: 'j/credentials/1', plugins: {} },
      ],
    },
    status: 400,
    body: failed({
      resource_type: 'consumers',
      resource_id: 'j/credentials/1',
      index: 1,
      error: 'found duplicate credential id j/credentials/1 in consumers',
    }),
  },
  {
    claim: 'a secret without its manager',
    request,
    send: { secrets: [{ id: 'vault' }] },
    status: 400,
    body: failed({ resource_type: 'secrets', resource_id: 'vault', index: 0, error: 'no secret id' }),
  },
  {
    claim: 'the list of plugins',
    request,
    send: { plugins: [{ name: 'x', stream: true }, { stream: true }] },
    status: 400,
    body: failed({
      resource_type: 'plugins',
      resource_id: '',
      index: 1,
      error: 'invalid configuration: property "name" is required',
    }),
  },
  {
    claim: 'an item may say which version it is',
    request,
    send: { routes: [{ ...route, modifiedIndex: 1 }] },
    status: 200,
    body: {},
  },
  {
    claim: 'YAML',
    request,
    sendText: 'routes:\n  - id: r1\n    uri: 1\n',
    headers: { 'content-type': 'application/yaml' },
    status: 400,
    body: failed({
      resource_type: 'routes',
      resource_id: 'r1',
      index: 0,
      error:
        'invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
    }),
  },
  {
    claim: 'what is no JSON is not sent back',
    request,
    sendText: '{"key":"secret"',
    status: 400,
    body: { error_msg: expect.stringMatching(/^invalid request body: /) },
  },
  {
    claim: 'a collection that is none',
    request,
    send: { upstreams: { a: 1 } },
    status: 400,
    body: failed({ resource_type: 'upstreams', error: 'upstreams must be an array' }),
  },
  {
    claim: 'an item that is none',
    request,
    send: { upstreams: ['x'] },
    status: 400,
    body: failed({
      resource_type: 'upstreams',
      resource_id: '',
      index: 0,
      error: 'invalid configuration: wrong type: expected object, got string',
    }),
  },
  {
    claim: 'no body',
    request,
    status: 400,
    body: says('invalid request body: empty request body'),
  },
  {
    claim: 'a body that is no object',
    request,
    send: [],
    status: 400,
    body: says('invalid request body: a JSON object was expected'),
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method): Row => ({
    claim: 'validating is a POST',
    request: `${method} /configs/validate`,
    status: 404,
    body: says('Unsupported resource type: configs'),
  })),
]);
