import { encryptText } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import { says, stamped, testRows } from '../testing/rows.ts';

const { one, two } = testPairs;
const keyring = ['qeddd145sfvddff3', 'edd1c9f0985e76a2'];
const seal = (text: string): string => encryptText(text, keyring);
const key = '/apisix/ssls/1';
const valid = { ...one, sni: 'one.example.com' };
const shown = { cert: one.cert, sni: 'one.example.com' };
const stored = { ...valid, key: seal(one.key), id: '1', create_time: 1000, update_time: 2000 };
const given = { 'ssls/1': stored };
const { key: _key, ...storedShown } = stored;

testRows(
  'ssls',
  [
    {
      claim: 'the key is stored encrypted and not answered',
      request: 'PUT /ssls/1',
      send: valid,
      status: 201,
      body: { key, value: stamped(shown, '1') },
      stored: { 'ssls/1': stamped({ ...valid, key: seal(one.key) }, '1') },
    },
    {
      claim: 'so are further keys',
      request: 'PUT /ssls/1',
      send: { ...valid, certs: [two.cert], keys: [two.key] },
      status: 201,
      body: { key, value: stamped({ ...shown, certs: [two.cert] }, '1') },
      stored: {
        'ssls/1': stamped({ ...valid, key: seal(one.key), certs: [two.cert], keys: [seal(two.key)] }, '1'),
      },
    },
    {
      claim: 'a generated id',
      request: 'POST /ssls',
      send: valid,
      status: 201,
      body: { key: '/apisix/ssls/00000000000000000002', value: stamped(shown, '00000000000000000002') },
    },
    {
      claim: 'a key that is encrypted already, with an older key of the keyring',
      request: 'PUT /ssls/1',
      send: { ...valid, key: encryptText(one.key, keyring.slice(1)) },
      status: 201,
      body: { key, value: stamped(shown, '1') },
      stored: { 'ssls/1': stamped({ ...valid, key: seal(one.key) }, '1') },
    },
    {
      claim: 'a key that no key of the keyring opens',
      request: 'PUT /ssls/1',
      send: { ...valid, key: 'k'.repeat(64) },
      status: 400,
      body: says('failed to decrypt previous encrypted key'),
      stored: { 'ssls/1': undefined },
    },
    {
      claim: 'a reference stays as it is',
      request: 'PUT /ssls/1',
      send: { ...valid, key: '$secret://vault/1/a/key' },
      status: 201,
      body: { key, value: stamped(shown, '1') },
      stored: { 'ssls/1': stamped({ ...valid, key: '$secret://vault/1/a/key' }, '1') },
    },
    {
      claim: 'keys are not shown',
      given,
      request: 'GET /ssls/1',
      status: 200,
      body: { key, value: storedShown, createdIndex: 2, modifiedIndex: 2 },
    },
    {
      claim: 'nor in a list',
      given,
      request: 'GET /ssls',
      status: 200,
      body: { total: 1, list: [{ key, value: storedShown, createdIndex: 2, modifiedIndex: 2 }] },
    },
    {
      claim: 'a patch keeps the key',
      given,
      request: 'PATCH /ssls/1',
      send: { sni: 'two.example.com' },
      status: 200,
      body: { key, value: stamped({ ...shown, sni: 'two.example.com' }, '1', 1000) },
      stored: {
        'ssls/1': stamped({ ...valid, sni: 'two.example.com', key: seal(one.key) }, '1', 1000),
      },
    },
    {
      claim: 'a patch of the certificate alone',
      given,
      request: 'PATCH /ssls/1',
      send: { cert: two.cert },
      status: 400,
      body: says('the key does not belong to the cert'),
    },
    {
      claim: 'a path replaces a member',
      given,
      request: 'PATCH /ssls/1/status',
      send: 0,
      status: 200,
      body: { key, value: stamped({ ...shown, status: 0 }, '1', 1000) },
    },
    {
      claim: 'no name for a server',
      request: 'PUT /ssls/1',
      send: one,
      status: 400,
      body: says('invalid configuration: then clause did not match'),
    },
    {
      claim: 'none is needed for a client',
      request: 'PUT /ssls/1',
      send: { ...one, type: 'client' },
      status: 201,
      body: { key, value: stamped({ cert: one.cert, type: 'client' }, '1') },
    },
    {
      claim: 'an unknown type',
      request: 'PUT /ssls/1',
      send: { ...valid, type: 'both' },
      status: 400,
      body: says('invalid configuration: property "type" validation failed: matches none of the enum values'),
    },
    {
      claim: 'a status that is none',
      request: 'PUT /ssls/1',
      send: { ...valid, status: 2 },
      status: 400,
      body: says(
        'invalid configuration: property "status" validation failed: matches none of the enum values',
      ),
    },
    {
      claim: 'a certificate that is too short',
      request: 'PUT /ssls/1',
      send: { ...valid, cert: 'x' },
      status: 400,
      body: says(
        'invalid configuration: property "cert" validation failed: string too short, expected at least 128, got 1',
      ),
    },
    {
      claim: 'more certificates than keys',
      request: 'PUT /ssls/1',
      send: { ...valid, certs: [two.cert] },
      status: 400,
      body: says('mismatched number of certs and keys'),
    },
    {
      claim: 'the key of another certificate',
      request: 'PUT /ssls/1',
      send: { ...valid, key: two.key },
      status: 400,
      body: says('the key does not belong to the cert'),
    },
    { claim: 'no body', request: 'PUT /ssls/1', status: 400, body: says('missing configurations') },
    { claim: 'no id', request: 'PUT /ssls', send: valid, status: 400, body: says('missing ssl id') },
    {
      claim: 'another id in the body',
      request: 'PUT /ssls/1',
      send: { ...valid, id: 2 },
      status: 400,
      body: says('wrong ssl id'),
    },
    { claim: 'deleting one', given, request: 'DELETE /ssls/1', status: 200, body: { deleted: '1', key } },
  ],
  { keyring },
);

testRows('ssls without a keyring', [
  {
    claim: 'the key is stored as it is',
    request: 'PUT /ssls/1',
    send: valid,
    status: 201,
    body: { key, value: stamped(shown, '1') },
    stored: { 'ssls/1': stamped(valid, '1') },
  },
]);

const upstreamKey = '/apisix/upstreams/9';
const inline = { nodes: {}, tls: { client_cert: one.cert, client_key: one.key } };
const inlineSealed = { nodes: {}, tls: { client_cert: one.cert, client_key: seal(one.key) } };

testRows(
  'keys of upstreams',
  [
    {
      claim: 'are stored encrypted',
      request: 'PUT /upstreams/9',
      send: inline,
      status: 201,
      body: { key: upstreamKey, value: stamped(inlineSealed, '9') },
      stored: { 'upstreams/9': stamped(inlineSealed, '9') },
    },
    ...['services', 'stream_routes'].map((segment) => ({
      claim: 'also where the upstream is embedded',
      request: `PUT /${segment}/9`,
      send: { upstream: inline },
      status: 201,
      body: { key: `/apisix/${segment}/9`, value: stamped({ upstream: inlineSealed }, '9') },
      stored: { [`${segment}/9`]: stamped({ upstream: inlineSealed }, '9') },
    })),
  ],
  { keyring },
);

const client = { 'ssls/1': { ...one, type: 'client', id: '1' } };
const naming = { nodes: {}, tls: { client_cert_id: 1 } };
const users = [
  { segment: 'upstreams', word: 'upstream', document: naming },
  { segment: 'services', word: 'service', document: { upstream: naming } },
  { segment: 'stream_routes', word: 'stream_route', document: { upstream: naming } },
];

testRows(
  'client_cert_id',
  users.flatMap(({ segment, word, document }) => [
    {
      claim: 'an ssl for clients',
      given: client,
      request: `PUT /${segment}/9`,
      send: document,
      status: 201,
      body: { key: `/apisix/${segment}/9`, value: stamped(document, '9') },
    },
    {
      claim: 'an ssl that is not there',
      request: `PUT /${segment}/9`,
      send: document,
      status: 400,
      body: says('failed to fetch ssl info by ssl id [1], response code: 404'),
    },
    {
      claim: 'an ssl for servers',
      given: { 'ssls/1': { ...valid, id: '1' } },
      request: `PUT /${segment}/9`,
      send: document,
      status: 400,
      body: says('failed to fetch ssl info by ssl id [1], wrong ssl type'),
    },
    {
      claim: 'an ssl in use is not deleted',
      given: { ...client, [`${segment}/9`]: { ...document, id: '9' } },
      request: 'DELETE /ssls/1',
      status: 400,
      body: says(`can not delete this ssl, ${word} [9] is still using it now`),
      stored: client,
    },
    {
      claim: 'unless it is forced',
      given: { ...client, [`${segment}/9`]: { ...document, id: '9' } },
      request: 'DELETE /ssls/1?force=true',
      status: 200,
      body: { deleted: '1', key },
      stored: { 'ssls/1': undefined },
    },
  ]),
);
