import { resourceKinds, streamRouteKind, withMeta } from '@apisix-ts/config';
import { testPlugins } from '../testing/open-admin.ts';
import { says, testRows } from '../testing/rows.ts';

const schemaOf = (name: string): unknown =>
  withMeta(testPlugins.find((plugin) => plugin.name === name)?.schema ?? {});
const keyAuth = testPlugins.find((plugin) => plugin.name === 'key-auth');
const noVersion = { 'x-api-version': undefined };

testRows('plugins', [
  {
    claim: 'the names, the first to run first',
    request: 'GET /plugins/list',
    status: 200,
    body: ['ip-restriction', 'key-auth', 'traffic-split', 'syslog'],
    answerHeaders: noVersion,
  },
  {
    claim: 'those for streams',
    request: 'GET /plugins/list?subsystem=stream',
    status: 200,
    body: ['ip-restriction', 'traffic-split', 'syslog'],
  },
  {
    claim: 'a subsystem that is none',
    request: 'GET /plugins/list?subsystem=x',
    status: 400,
    body: says('invalid subsystem passed'),
  },
  {
    claim: 'the schema of one',
    request: 'GET /plugins/ip-restriction',
    status: 200,
    body: schemaOf('ip-restriction'),
    answerHeaders: { 'x-api-version': 'v3' },
  },
  {
    claim: 'the same under schema',
    request: 'GET /schema/plugins/ip-restriction',
    status: 200,
    body: schemaOf('ip-restriction'),
  },
  {
    claim: 'of its part of a consumer',
    request: 'GET /plugins/key-auth?schema_type=consumer',
    status: 200,
    body: keyAuth?.consumerSchema,
  },
  {
    claim: 'of a part that it has not',
    request: 'GET /plugins/syslog?schema_type=consumer',
    status: 400,
    body: says('not found schema'),
  },
  {
    claim: 'an unknown one',
    request: 'GET /plugins/asdf',
    status: 404,
    body: says('plugin not found in subsystem http'),
  },
  {
    claim: 'one that is not for streams',
    request: 'GET /plugins/key-auth?subsystem=stream',
    status: 404,
    body: says('plugin not found in subsystem stream'),
  },
  {
    claim: 'no name',
    request: 'GET /plugins',
    status: 404,
    body: says('plugin not found in subsystem http'),
  },
  {
    claim: 'no name under schema',
    request: 'GET /schema/plugins',
    status: 404,
    body: says('plugin not found in subsystem http'),
  },
  {
    claim: 'an unknown subsystem',
    request: 'GET /plugins/syslog?subsystem=x',
    status: 400,
    body: says('unsupported subsystem: x'),
  },
  {
    claim: 'all of them',
    request: 'GET /plugins?all=true',
    status: 200,
    body: Object.fromEntries(
      testPlugins.map((plugin) => [
        plugin.name,
        {
          version: 0.1,
          priority: plugin.priority,
          schema: schemaOf(plugin.name),
          ...(plugin.name === 'key-auth' ? { type: 'auth', consumer_schema: keyAuth?.consumerSchema } : {}),
          ...(plugin.name === 'syslog' ? { metadata_schema: plugin.metadataSchema } : {}),
        },
      ]),
    ),
  },
  ...['PUT', 'POST', 'PATCH', 'DELETE'].map((method) => ({
    claim: 'plugins cannot be written',
    request: `${method} /plugins/syslog`,
    status: 404,
    body: says('not found'),
  })),
  { claim: 'a list cannot be written', request: 'PUT /plugins/list', status: 404, body: says('not found') },
  { claim: 'reloading', request: 'PUT /plugins/reload', status: 200, text: 'done', answerHeaders: noVersion },
  ...['GET', 'POST', 'PATCH', 'DELETE'].map((method) => ({
    claim: 'reloading is a PUT',
    request: `${method} /plugins/reload`,
    status: 405,
    body: says(`please use PUT method to reload the plugins, ${method} method is not allowed.`),
  })),
]);

testRows(
  'a reload that fails',
  [{ claim: 'says why', request: 'PUT /plugins/reload', status: 503, body: says('config.yaml is broken') }],
  { reloadPlugins: () => Promise.reject(new Error('config.yaml is broken')) },
);

testRows('schema', [
  ...resourceKinds
    .filter(({ name }) => name !== 'secret' && name !== 'plugin_metadata')
    .map((kind) => ({
      claim: 'a kind by its name',
      request: `GET /schema/${kind.name}`,
      status: 200,
      body: kind.schema,
    })),
  ...['stream_routes', 'nothing', 'validate/upstreams'].map((name) => ({
    claim: 'a name that is none',
    request: `GET /schema/${name}`,
    status: 400,
    body: says(`not found schema: ${name.split('/')[0]}`),
  })),
  { claim: 'no name', request: 'GET /schema', status: 400, body: says('not found schema: ') },
  {
    claim: 'schemas cannot be written',
    request: `PUT /schema/${streamRouteKind.name}`,
    status: 404,
    body: says('not found'),
  },
]);

testRows('schema/validate', [
  {
    claim: 'what meets the schema',
    request: 'POST /schema/validate/stream_routes',
    send: { server_port: 1 },
    status: 200,
    answerHeaders: noVersion,
  },
  {
    claim: 'what does not, without the usual words before',
    request: 'POST /schema/validate/stream_routes',
    send: { server_port: '1' },
    status: 400,
    body: says('property "server_port" validation failed: wrong type: expected integer, got string'),
  },
  {
    claim: 'neither plugins nor references are looked at',
    request: 'POST /schema/validate/stream_routes',
    send: { upstream_id: 'x', plugins: { x: {} } },
    status: 200,
  },
  {
    claim: 'no body',
    request: 'POST /schema/validate/upstreams',
    status: 400,
    body: says('wrong type: expected object, got nil'),
  },
  {
    claim: 'an unknown resource',
    request: 'POST /schema/validate/x',
    send: {},
    status: 404,
    body: says('Unsupported resource type: x'),
  },
  ...['plugin_metadata', 'secrets', 'credentials/1', 'plugins'].map((kind) => ({
    claim: 'a resource without a schema of its own, or none',
    request: `POST /schema/validate/${kind}`,
    send: {},
    status: kind === 'credentials/1' ? 400 : 404,
    body:
      kind === 'credentials/1'
        ? says('property "plugins" is required')
        : says(`Unsupported resource type: ${kind}`),
  })),
  {
    claim: 'no resource',
    request: 'POST /schema/validate',
    send: {},
    status: 404,
    body: says('Unsupported resource type: '),
  },
]);
