import { says, stamped, testRows } from '../testing/rows.ts';
import type { Row } from '../testing/rows.ts';

const content = 'syntax = "proto3"; package a;';
const transcode = { 'grpc-transcode': { proto_id: 1 } };

testRows('protos', [
  {
    claim: 'a new one',
    request: 'PUT /protos/1',
    send: { content },
    status: 201,
    body: { key: '/apisix/protos/1', value: stamped({ content }, '1') },
  },
  {
    claim: 'a generated id',
    request: 'POST /protos',
    send: { content },
    status: 201,
    body: {
      key: '/apisix/protos/00000000000000000002',
      value: stamped({ content }, '00000000000000000002'),
    },
  },
  {
    claim: 'no content',
    request: 'PUT /protos/1',
    send: {},
    status: 400,
    body: says('invalid configuration: property "content" is required'),
  },
  {
    claim: 'it is not patched',
    request: 'PATCH /protos/1',
    send: { content },
    status: 405,
    body: says('not supported `PATCH` method for proto'),
  },
  ...[
    { segment: 'services', word: 'service' },
    { segment: 'plugin_configs', word: 'plugin_config' },
  ].map(({ segment, word }): Row => ({
    claim: 'one that a plugin uses is not deleted',
    given: { 'protos/1': { id: '1', content }, [`${segment}/9`]: { id: '9', plugins: transcode } },
    request: 'DELETE /protos/1',
    status: 400,
    body: says(`can not delete this proto, ${word} [9] is still using it now`),
  })),
  {
    claim: 'deleting one',
    given: { 'protos/1': { id: '1', content } },
    request: 'DELETE /protos/1',
    status: 200,
    body: { deleted: '1', key: '/apisix/protos/1' },
  },
]);

const metadata = { log_format: { host: '$host' } };

testRows('plugin_metadata', [
  {
    claim: 'neither id nor times are stored',
    request: 'PUT /plugin_metadata/syslog',
    send: metadata,
    status: 201,
    body: { key: '/apisix/plugin_metadata/syslog', value: metadata },
    stored: { 'plugin_metadata/syslog': metadata },
  },
  {
    claim: 'no name',
    request: 'PUT /plugin_metadata',
    send: metadata,
    status: 400,
    body: says('missing plugin name'),
  },
  {
    claim: 'an unknown plugin',
    request: 'PUT /plugin_metadata/x',
    send: metadata,
    status: 400,
    body: says('invalid plugin name'),
  },
  {
    claim: 'what the plugin does not understand',
    request: 'PUT /plugin_metadata/syslog',
    send: { log_format: 1 },
    status: 400,
    body: says(
      'invalid configuration: property "log_format" validation failed: wrong type: expected object, got number',
    ),
  },
  ...['POST /plugin_metadata', 'PATCH /plugin_metadata/syslog'].map((request) => ({
    claim: 'only PUT writes',
    request,
    send: metadata,
    status: 405,
    body: says(`not supported \`${request.split(' ')[0]}\` method for plugin_metadata`),
  })),
  {
    claim: 'all of them',
    given: { 'plugin_metadata/syslog': metadata },
    request: 'GET /plugin_metadata',
    status: 200,
    body: {
      total: 1,
      list: [{ key: '/apisix/plugin_metadata/syslog', value: metadata, createdIndex: 2, modifiedIndex: 2 }],
    },
  },
  {
    claim: 'deleting one',
    given: { 'plugin_metadata/syslog': metadata },
    request: 'DELETE /plugin_metadata/syslog',
    status: 200,
    body: { deleted: '1', key: '/apisix/plugin_metadata/syslog' },
  },
  ...['GET /schema/plugin_metadata', 'GET /schema/secret'].map((request) => ({
    claim: 'each plugin or manager has a schema of its own',
    request,
    status: 400,
    body: says(`not found schema: ${request.slice('GET /schema/'.length)}`),
  })),
  ...['plugin_metadata', 'secrets'].map((segment) => ({
    claim: 'so it cannot be validated by kind',
    request: `POST /schema/validate/${segment}`,
    send: {},
    status: 404,
    body: says(`Unsupported resource type: ${segment}`),
  })),
]);

const vault = { uri: 'http://127.0.0.1:8200', prefix: 'kv/apisix', token: 't' };
const key = '/apisix/secrets/vault/1';
const given = { 'secrets/vault/1': { ...vault, id: 'vault/1', create_time: 1000 } };
const listed = { key, value: given['secrets/vault/1'], createdIndex: 2, modifiedIndex: 2 };

testRows('secrets', [
  {
    claim: 'the manager is a part of the id',
    request: 'PUT /secrets/vault/1',
    send: vault,
    status: 201,
    body: { key, value: stamped(vault, 'vault/1') },
    stored: { 'secrets/vault/1': stamped(vault, 'vault/1') },
  },
  {
    claim: 'members that the manager does not know, and any id',
    request: 'PUT /secrets/vault/a$',
    send: { ...vault, other: 1 },
    status: 201,
    body: { key: '/apisix/secrets/vault/a$', value: stamped({ ...vault, other: 1 }, 'vault/a$') },
  },
  ...[
    { manager: 'vault', send: { uri: 'u' }, missing: 'prefix' },
    { manager: 'aws', send: { access_key_id: 'x' }, missing: 'secret_access_key' },
  ].map(({ manager, send, missing }) => ({
    claim: 'what a manager asks for',
    request: `PUT /secrets/${manager}/1`,
    send,
    status: 400,
    body: says(`invalid configuration: property "${missing}" is required`),
  })),
  {
    claim: 'one of two members',
    request: 'PUT /secrets/gcp/1',
    send: {},
    status: 400,
    body: says('invalid configuration: value should match only one schema, but matches none'),
  },
  {
    claim: 'an unknown manager',
    request: 'PUT /secrets/x/1',
    send: vault,
    status: 400,
    body: says('invalid secret manager: x'),
  },
  ...['PUT /secrets', 'PUT /secrets/vault', 'PATCH /secrets/vault'].map((request) => ({
    claim: 'no id',
    request,
    send: vault,
    status: 400,
    body: says('no secret id'),
  })),
  { claim: 'no id', request: 'DELETE /secrets/vault', status: 400, body: says('no secret id') },
  {
    claim: 'no generated ids',
    request: 'POST /secrets/vault',
    send: vault,
    status: 405,
    body: says('not supported `POST` method for secret'),
  },
  {
    claim: 'a patch merges',
    given,
    request: 'PATCH /secrets/vault/1',
    send: { token: 'u' },
    status: 200,
    body: { key, value: stamped({ ...vault, token: 'u' }, 'vault/1', 1000) },
  },
  {
    claim: 'a path replaces',
    given,
    request: 'PATCH /secrets/vault/1/token',
    send: 'u',
    status: 200,
    body: { key, value: stamped({ ...vault, token: 'u' }, 'vault/1', 1000) },
  },
  { claim: 'one', given, request: 'GET /secrets/vault/1', status: 200, body: listed },
  ...['GET /secrets', 'GET /secrets/vault'].map((request) => ({
    claim: 'all, or those of a manager',
    given,
    request,
    status: 200,
    body: { total: 1, list: [listed] },
  })),
  {
    claim: 'deleting one',
    given,
    request: 'DELETE /secrets/vault/1',
    status: 200,
    body: { deleted: '1', key },
    stored: { 'secrets/vault/1': undefined },
  },
]);
