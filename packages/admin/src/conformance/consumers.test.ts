import { says, stamped, testRows } from '../testing/rows.ts';
import type { Row } from '../testing/rows.ts';

const key = '/apisix/consumers/jack';
const keyAuth = (value: string) => ({ plugins: { 'key-auth': { key: value } } });
const times = { create_time: 1_700_000_000, update_time: 1_700_000_000 };
const jack = { username: 'jack', ...times };
const given = { 'consumers/jack': { ...jack, create_time: 1000 } };

testRows('consumers', [
  {
    claim: 'the name is the key, and no id is stored',
    request: 'PUT /consumers/jack',
    send: { username: 'jack' },
    status: 201,
    body: { key, value: jack },
    stored: { 'consumers/jack': jack },
  },
  {
    claim: 'the name may stand in the body alone',
    request: 'PUT /consumers',
    send: { username: 'jack' },
    status: 201,
    body: { key, value: jack },
  },
  {
    claim: 'replacing one keeps its time of creation',
    given,
    request: 'PUT /consumers/jack',
    send: { username: 'jack', desc: 'x' },
    status: 200,
    body: { key, value: { username: 'jack', desc: 'x', ...times, create_time: 1000 } },
  },
  {
    claim: 'another name in the body',
    request: 'PUT /consumers/jack',
    send: { username: 'jill' },
    status: 400,
    body: says('wrong username'),
  },
  {
    claim: 'no name',
    request: 'PUT /consumers',
    send: {},
    status: 400,
    body: says('invalid configuration: property "username" is required'),
  },
  {
    claim: 'a name that is none',
    request: 'PUT /consumers',
    send: { username: 'jack@home' },
    status: 400,
    body: says(
      String.raw`invalid configuration: property "username" validation failed: failed to match pattern "^[a-zA-Z0-9_\\-]+$" with "jack@home"`,
    ),
  },
  { claim: 'no body', request: 'PUT /consumers/jack', status: 400, body: says('missing configurations') },
  {
    claim: 'times cannot be set',
    request: 'PUT /consumers',
    send: jack,
    status: 400,
    body: says('the property is forbidden:  create_time'),
  },
  ...['POST /consumers', 'PATCH /consumers/jack'].map((request) => ({
    claim: 'only PUT writes',
    given,
    request,
    send: { username: 'jack' },
    status: 405,
    body: says(`not supported \`${request.split(' ')[0]}\` method for consumer`),
  })),
  {
    claim: 'a plugin that finds out who it is has its part for consumers',
    request: 'PUT /consumers',
    send: { username: 'jack', ...keyAuth('k') },
    status: 201,
    body: { key, value: { username: 'jack', ...keyAuth('k'), ...times } },
  },
  {
    claim: 'without it',
    request: 'PUT /consumers',
    send: { username: 'jack', plugins: { 'key-auth': {} } },
    status: 400,
    body: says(
      'invalid plugins configuration: failed to check the configuration of plugin key-auth err: property "key" is required',
    ),
  },
  {
    claim: 'an unknown plugin',
    request: 'PUT /consumers',
    send: { username: 'jack', plugins: { x: {} } },
    status: 400,
    body: says('invalid plugins configuration: unknown plugin [x]'),
  },
  {
    claim: 'a key that another consumer has',
    given: { 'consumers/jill': { username: 'jill', ...keyAuth('k') } },
    request: 'PUT /consumers',
    send: { username: 'jack', ...keyAuth('k') },
    status: 400,
    body: says('duplicate key of plugin key-auth found with consumer: jill'),
    stored: { 'consumers/jack': undefined },
  },
  {
    claim: 'a key that a credential has',
    given: { 'consumers/jill/credentials/a': keyAuth('k') },
    request: 'PUT /consumers',
    send: { username: 'jack', ...keyAuth('k') },
    status: 400,
    body: says('duplicate key of plugin key-auth found with credential: a of consumer: jill'),
  },
  {
    claim: 'its own key again',
    given: { 'consumers/jack': { username: 'jack', ...keyAuth('k') } },
    request: 'PUT /consumers',
    send: { username: 'jack', ...keyAuth('k') },
    status: 200,
    body: { key, value: { username: 'jack', ...keyAuth('k'), ...times } },
  },
  {
    claim: 'a group that is there',
    given: { 'consumer_groups/g': { id: 'g', plugins: {} } },
    request: 'PUT /consumers',
    send: { username: 'jack', group_id: 'g' },
    status: 201,
    body: { key, value: { username: 'jack', group_id: 'g', ...times } },
  },
  {
    claim: 'a group that is not there',
    request: 'PUT /consumers',
    send: { username: 'jack', group_id: 'g' },
    status: 400,
    body: says('failed to fetch consumer group info by consumer group id [g], response code: 404'),
  },
  {
    claim: 'a list has no credentials in it',
    given: { ...given, 'consumers/jack/credentials/a': keyAuth('k') },
    request: 'GET /consumers',
    status: 200,
    body: {
      total: 1,
      list: [{ key, value: given['consumers/jack'], createdIndex: 2, modifiedIndex: 2 }],
    },
  },
  {
    claim: 'credentials go with their consumer',
    given: { ...given, 'consumers/jack/credentials/a': keyAuth('k'), 'consumers/jacky': jack },
    request: 'DELETE /consumers/jack',
    status: 200,
    body: { deleted: '1', key },
    stored: {
      'consumers/jack': undefined,
      'consumers/jack/credentials/a': undefined,
      'consumers/jacky': jack,
    },
  },
]);

const credentials = '/consumers/jack/credentials';
const credentialKey = `/apisix${credentials}/a`;
const existing = { ...given, 'consumers/jack/credentials/a': { id: 'a', ...keyAuth('k') } };

testRows('credentials', [
  {
    claim: 'the key is below the consumer',
    given,
    request: `PUT ${credentials}/a`,
    send: keyAuth('k'),
    status: 201,
    body: { key: credentialKey, value: stamped(keyAuth('k'), 'a') },
    stored: { 'consumers/jack/credentials/a': stamped(keyAuth('k'), 'a') },
  },
  {
    claim: 'no consumer',
    request: `PUT ${credentials}/a`,
    send: keyAuth('k'),
    status: 404,
    body: says('consumer not found'),
  },
  {
    claim: 'no id',
    given,
    request: `PUT ${credentials}`,
    send: keyAuth('k'),
    status: 400,
    body: says('missing credential id'),
  },
  ...[`POST ${credentials}`, `PATCH ${credentials}/a`].map((request) => ({
    claim: 'only PUT writes',
    given,
    request,
    send: keyAuth('k'),
    status: 405,
    body: says(`not supported \`${request.split(' ')[0]}\` method for credential`),
  })),
  {
    claim: 'no plugins',
    given,
    request: `PUT ${credentials}/a`,
    send: {},
    status: 400,
    body: says('invalid configuration: property "plugins" is required'),
  },
  {
    claim: 'two plugins',
    given,
    request: `PUT ${credentials}/a`,
    send: { plugins: { 'key-auth': { key: 'k' }, syslog: {} } },
    status: 400,
    body: says(
      'invalid configuration: property "plugins" validation failed: expect object to have at most 1 properties',
    ),
  },
  {
    claim: 'a plugin that finds out nothing',
    given,
    request: `PUT ${credentials}/a`,
    send: { plugins: { syslog: {} } },
    status: 400,
    body: says('only supports auth type plugins in consumer credential'),
  },
  {
    claim: 'a key that another credential has',
    given: existing,
    request: `PUT ${credentials}/b`,
    send: keyAuth('k'),
    status: 400,
    body: says('duplicate key of plugin key-auth found with credential: a of consumer: jack'),
  },
  {
    claim: 'its own key again',
    given: existing,
    request: `PUT ${credentials}/a`,
    send: keyAuth('k'),
    status: 200,
    body: { key: credentialKey, value: stamped(keyAuth('k'), 'a') },
  },
  {
    claim: 'one',
    given: existing,
    request: `GET ${credentials}/a`,
    status: 200,
    body: { key: credentialKey, value: { id: 'a', ...keyAuth('k') }, createdIndex: 3, modifiedIndex: 3 },
  },
  {
    claim: 'all of a consumer',
    given: existing,
    request: `GET ${credentials}`,
    status: 200,
    body: {
      total: 1,
      list: [{ key: credentialKey, value: { id: 'a', ...keyAuth('k') }, createdIndex: 3, modifiedIndex: 3 }],
    },
  },
  { claim: 'none', given, request: `GET ${credentials}`, status: 404, body: { message: 'Key not found' } },
  {
    claim: 'deleting one',
    given: existing,
    request: `DELETE ${credentials}/a`,
    status: 200,
    body: { deleted: '1', key: credentialKey },
    stored: { 'consumers/jack/credentials/a': undefined, ...given },
  },
  {
    claim: 'deleting without an id',
    request: `DELETE ${credentials}`,
    status: 400,
    body: says('missing credential id'),
  },
  {
    claim: 'they have no path of their own',
    request: 'GET /credentials',
    status: 404,
    body: says('Unsupported resource type: credentials'),
  },
]);

const sets: readonly { segment: string; word: string }[] = [
  { segment: 'consumer_groups', word: 'consumer group' },
  { segment: 'plugin_configs', word: 'plugin config' },
  { segment: 'global_rules', word: 'global rule' },
];
const plugins = { 'ip-restriction': { whitelist: ['127.0.0.1'] } };

testRows(
  'kinds that are sets of plugins',
  sets.flatMap(({ segment, word }): Row[] => [
    {
      claim: 'a new one',
      request: `PUT /${segment}/1`,
      send: { plugins },
      status: 201,
      body: { key: `/apisix/${segment}/1`, value: stamped({ plugins }, '1') },
    },
    {
      claim: 'no plugins',
      request: `PUT /${segment}/1`,
      send: {},
      status: 400,
      body: says('invalid configuration: property "plugins" is required'),
    },
    {
      claim: 'no id',
      request: `PUT /${segment}`,
      send: { plugins },
      status: 400,
      body: says(`missing ${word} id`),
    },
    {
      claim: 'no generated ids',
      request: `POST /${segment}`,
      send: { plugins },
      status: 405,
      body: says(`not supported \`POST\` method for ${word}`),
    },
    {
      claim: 'a plugin configured wrongly',
      request: `PUT /${segment}/1`,
      send: { plugins: { 'ip-restriction': {} } },
      status: 400,
      body: says(
        'failed to check the configuration of plugin ip-restriction err: value should match only one schema, but matches none',
      ),
    },
    {
      claim: 'an unknown plugin',
      request: `PUT /${segment}/1`,
      send: { plugins: { x: {} } },
      status: 400,
      body: says('unknown plugin [x]'),
    },
    {
      claim: 'a member that is none',
      request: `PUT /${segment}/1`,
      send: { plugins, other: 1 },
      status: 400,
      body: says('invalid configuration: additional properties forbidden, found other'),
    },
    {
      claim: 'a patch merges',
      given: { [`${segment}/1`]: { id: '1', plugins, create_time: 1000 } },
      request: `PATCH /${segment}/1`,
      send: { plugins: { syslog: {} } },
      status: 200,
      body: {
        key: `/apisix/${segment}/1`,
        value: stamped({ plugins: { ...plugins, syslog: {} } }, '1', 1000),
      },
    },
    {
      claim: 'a path replaces',
      given: { [`${segment}/1`]: { id: '1', plugins, create_time: 1000 } },
      request: `PATCH /${segment}/1/plugins`,
      send: { syslog: {} },
      status: 200,
      body: { key: `/apisix/${segment}/1`, value: stamped({ plugins: { syslog: {} } }, '1', 1000) },
    },
    {
      claim: 'the bare schema asks for an id',
      request: `POST /schema/validate/${segment}`,
      send: { plugins },
      status: 400,
      body: says('property "id" is required'),
    },
    {
      claim: 'an upstream that a traffic-split rule uses is not deleted',
      given: {
        'upstreams/1': { id: '1', nodes: {} },
        [`${segment}/9`]: {
          id: '9',
          plugins: { 'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: '1' }] }] } },
        },
      },
      request: 'DELETE /upstreams/1',
      status: 400,
      body: says(
        `can not delete this upstream, plugin in ${segment === 'global_rules' ? segment : segment.slice(0, -1)} [9] is still using it now`,
      ),
    },
    {
      claim: 'deleting one',
      given: { [`${segment}/1`]: { id: '1', plugins } },
      request: `DELETE /${segment}/1`,
      status: 200,
      body: { deleted: '1', key: `/apisix/${segment}/1` },
    },
  ]),
);

testRows('what sets of plugins are used by', [
  {
    claim: 'a consumer group of a consumer is not deleted',
    given: {
      'consumer_groups/g': { id: 'g', plugins: {} },
      'consumers/jack': { username: 'jack', group_id: 'g' },
    },
    request: 'DELETE /consumer_groups/g',
    status: 400,
    body: says('can not delete this consumer group, consumer [jack] is still using it now'),
  },
  {
    claim: 'a plugin stands in one global rule only',
    given: { 'global_rules/1': { id: '1', plugins } },
    request: 'PUT /global_rules/2',
    send: { plugins },
    status: 400,
    body: says("plugin 'ip-restriction' already exists in global rule with id '1'"),
  },
  {
    claim: 'also after a patch',
    given: { 'global_rules/1': { id: '1', plugins }, 'global_rules/2': { id: '2', plugins: {} } },
    request: 'PATCH /global_rules/2',
    send: { plugins },
    status: 400,
    body: says("plugin 'ip-restriction' already exists in global rule with id '1'"),
  },
  {
    claim: 'and in the same one again',
    given: { 'global_rules/1': { id: '1', plugins, create_time: 1000 } },
    request: 'PUT /global_rules/1',
    send: { plugins },
    status: 200,
    body: { key: '/apisix/global_rules/1', value: stamped({ plugins }, '1', 1000) },
  },
]);
