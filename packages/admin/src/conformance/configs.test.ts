import { encryptText, resourceKinds } from '@apisix-ts/config';
import { testPairs } from '@apisix-ts/config/contract';
import { describe, expect, test } from 'vitest';
import { collectionsOf, versionKey } from '../configs/collections.ts';
import { testNow } from '../testing/open-admin.ts';
import { openConfigs } from '../testing/open-configs.ts';
import { says } from '../testing/rows.ts';

const route = { id: 'r1', uri: '/', plugins: {} };
const names = collectionsOf(resourceKinds).map(versionKey);
const versions = (version: number): object => Object.fromEntries(names.map((name) => [name, version]));
const metadata = (digest: string): object => ({ 'X-Last-Modified': testNow, 'X-Digest': digest });

describe('what there is', () => {
  test('GET before the first PUT: 13 versions of 0, and nothing about a digest', async () => {
    await using configs = await openConfigs();

    const reply = await configs.send('GET', '/configs');

    expect([reply.status, JSON.parse(reply.text)]).toEqual([200, versions(0)]);
    expect(Object.keys(versions(0))).toHaveLength(13);
    expect(reply.headers).not.toHaveProperty('x-digest');
    expect(reply.headers).not.toHaveProperty('x-last-modified');
  });

  test('GET after a PUT: what was sent, the versions, and the digest in headers and body', async () => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [route], routes_conf_version: 5, unknown: [1] });

    const { status, headers, text } = await configs.send('GET', '/configs');

    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'x-digest': 'd1', 'x-last-modified': String(testNow) });
    expect(JSON.parse(text)).toEqual({
      ...versions(1),
      routes: [route],
      routes_conf_version: 5,
      ...metadata('d1'),
    });
  });

  test('GET as YAML, without markers of a document', async () => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [{ ...route, desc: 'yes' }] });

    const { headers, text } = await configs.send('GET', '/configs', undefined, {
      accept: 'application/yaml, */*',
    });

    expect(headers['content-type']).toBe('application/yaml');
    expect(text).toContain('routes:\n  - id: r1\n    uri: /\n    plugins: {}\n    desc: "yes"\n');
    expect(text).not.toMatch(/^(?:---|\.\.\.)$/m);
  });

  test('HEAD: the headers only', async () => {
    await using configs = await openConfigs();
    const before = await configs.send('HEAD', '/configs');
    await configs.put('d1', {});
    const after = await configs.send('HEAD', '/configs');

    expect([before.status, before.headers['x-digest']]).toEqual([200, undefined]);
    expect([after.status, after.text]).toEqual([200, '']);
    expect(after.headers).toMatchObject({ 'x-digest': 'd1', 'x-last-modified': String(testNow) });
  });

  test.for([
    ['GET', '/routes'],
    ['PUT', '/routes/1'],
    ['GET', '/plugins/list'],
    ['GET', '/configs/validate'],
    ['POST', '/configs'],
    ['DELETE', '/configs'],
    ['PATCH', '/configs'],
    ['GET', ''],
    ['GET', '/configs/routes'],
  ] as const)('nothing else: %s %s', async ([method, path]) => {
    await using configs = await openConfigs({ adminKeys: [{ name: 'ops', key: 'k', role: 'admin' }] });

    const { status } = await configs.send(method, `/apisix/admin${path}`, undefined, {
      'x-api-key': 'k',
    });

    expect(status).toBe(404);
  });
});

describe('who may ask', () => {
  const adminKeys = [
    { name: 'ops', key: 'admin-key', role: 'admin' },
    { name: 'guest', key: 'viewer-key', role: 'viewer' },
  ];
  const unauthorized = (description: string): object => ({ error_msg: 'failed to check token', description });

  test('HEAD of the root needs no key', async () => {
    await using configs = await openConfigs({ adminKeys });

    expect((await configs.send('HEAD', '/apisix/admin')).status).toBe(200);
  });

  test.for([
    ['GET', undefined, 401, 'missing apikey'],
    ['PUT', undefined, 401, 'missing apikey'],
    ['PUT', 'guess', 401, 'wrong apikey'],
    ['PUT', 'viewer-key', 401, 'invalid method for role viewer'],
    ['PUT', 'admin-key', 400, undefined],
    ['GET', 'viewer-key', 200, undefined],
  ] as const)('%s with the key %s', async ([method, key, status, description]) => {
    await using configs = await openConfigs({ adminKeys });

    const headers = key === undefined ? {} : { 'x-api-key': key };
    const reply = await configs.send(method, '/configs', method === 'PUT' ? '{}' : undefined, headers);

    expect(reply.status).toBe(status);
    if (description !== undefined) expect(JSON.parse(reply.text)).toEqual(unauthorized(description));
  });

  test('CORS and the list of addresses are those of the Admin API', async () => {
    await using open = await openConfigs({ cors: true });
    await using closed = await openConfigs({ allowAdmin: ['192.0.2.0/24'] });

    expect((await open.send('OPTIONS', '/configs')).status).toBe(200);
    expect((await open.send('GET', '/configs')).headers['access-control-allow-origin']).toBe('*');
    expect((await closed.send('GET', '/configs')).status).toBe(403);
  });
});

describe('a PUT is refused', () => {
  test.for([
    ['no digest', undefined, '{}', {}, 'missing digest header'],
    ['no body', 'd2', '', {}, 'invalid request body: empty request body'],
    ['no JSON', 'd2', '{', {}, /^invalid request body: /],
    ['JSON that is no object', 'd2', '[]', {}, 'invalid request body: a JSON object was expected'],
    ['no YAML', 'd2', 'a: [', { 'content-type': 'application/yaml' }, /^invalid request body: invalid yaml/],
    [
      'YAML that is no map',
      'd2',
      'routes',
      { 'content-type': 'application/yaml; charset=utf-8' },
      'invalid request body: invalid yaml request body: a map was expected',
    ],
    ['a large body', 'd2', ' '.repeat(1_572_865), {}, /greater than the maximum size 1572864 allowed$/],
    [
      'a version that is no number, before anything else in it',
      'd2',
      '{"services":[1],"routes_conf_version":"2"}',
      {},
      'routes_conf_version must be a number',
    ],
    ['no list', 'd2', '{"routes":{"a":1}}', {}, 'routes must be an array'],
    [
      'an invalid item',
      'd2',
      '{"routes":[{"uri":1}],"routes_conf_version":0}',
      {},
      'invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
    ],
    ['an unknown plugin', 'd2', '{"services":[{"plugins":{"x":{}}}]}', {}, 'unknown plugin [x]'],
    [
      'one id twice',
      'd2',
      '{"protos":[{"id":1,"content":"x"},{"id":"1","content":"y"}]}',
      {},
      'found duplicate id 1 in protos',
    ],
    [
      'one name twice',
      'd2',
      '{"consumers":[{"username":"jack"},{"username":"jack"}]}',
      {},
      'found duplicate username jack in consumers',
    ],
    [
      'one credential twice',
      'd2',
      '{"consumers":[{"id":"j/credentials/1","plugins":{}},{"id":"j/credentials/1","plugins":{}}]}',
      {},
      'found duplicate credential id j/credentials/1 in consumers',
    ],
    [
      'a lower version',
      'd2',
      '{"routes":[],"routes_conf_version":4}',
      {},
      'routes_conf_version must be greater than or equal to (5)',
    ],
  ] as const)('with %s', async ([, digest, body, headers, error]) => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [route], routes_conf_version: 5 });
    const before = await configs.shown();

    const reply = await configs.send('PUT', '/configs', body, {
      ...headers,
      ...(digest === undefined ? {} : { 'x-digest': digest }),
    });

    expect(reply.status).toBe(400);
    const told: unknown = JSON.parse(reply.text);
    if (typeof error === 'string') expect(told).toMatchObject(says(error));
    else expect(told).toMatchObject({ error_msg: expect.stringMatching(error) });
    // What was there stays, digest included.
    expect(await configs.shown()).toEqual(before);
    expect(await configs.stored()).toEqual({ 'routes/r1': route });
  });

  test('and the answer says which item is at fault', async () => {
    await using configs = await openConfigs();

    const { text } = await configs.put('d1', { upstreams: [{ id: 'u', nodes: {} }, { id: 'v' }] });

    expect(JSON.parse(text)).toMatchObject({ resource_type: 'upstreams', resource_id: 'v', index: 1 });
  });
});

describe('a PUT is taken', () => {
  test('with 202, an empty body and the two headers', async () => {
    await using configs = await openConfigs();

    const { status, headers, text } = await configs.put('d1', { routes: [route] });

    expect([status, text]).toEqual([202, '']);
    expect(headers).toMatchObject({ 'x-digest': 'd1', 'x-last-modified': String(testNow) });
  });

  test('as YAML', async () => {
    await using configs = await openConfigs();
    const yaml = 'upstreams:\n  - id: u\n    nodes: {"192.0.2.1:80": 010}\nroutes_conf_version: 3\n';

    const { status } = await configs.send('PUT', '/configs', yaml, {
      'x-digest': 'd1',
      'content-type': 'application/yaml',
    });

    expect(status).toBe(202);
    expect(await configs.stored()).toEqual({ 'upstreams/u': { id: 'u', nodes: { '192.0.2.1:80': 8 } } });
    expect(await configs.shown()).toMatchObject({ routes_conf_version: 3 });
  });

  test('with the digest that is kept nothing is looked at: 204', async () => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [route] });

    const { status } = await configs.put('d1', { routes: 1, routes_conf_version: 'x' });

    expect(status).toBe(204);
    expect(await configs.stored()).toEqual({ 'routes/r1': route });
  });

  test('without a reference being looked up', async () => {
    await using configs = await openConfigs();

    expect((await configs.put('d1', { routes: [{ ...route, upstream_id: 'nowhere' }] })).status).toBe(202);
  });

  test('with every kind, credentials among the consumers, and the list of plugins as one', async () => {
    await using configs = await openConfigs();
    const key = { 'key-auth': { key: 'k' } };

    const { status, text } = await configs.put('d1', {
      consumers: [{ username: 'jack' }, { id: 'jack/credentials/1', plugins: key }],
      secrets: [{ id: 'vault/1', uri: 'u', prefix: 'p', token: 't' }],
      plugin_metadata: [{ id: 'syslog', log_format: {} }],
      global_rules: [{ id: 1, plugins: {} }],
      protos: [{ content: 'x' }],
      plugins: [{ name: 'syslog', stream: true }],
      upstreams: {},
      services: null,
    });

    expect([status, text]).toEqual([202, '']);
    expect(Object.keys(await configs.stored())).toEqual([
      'consumers/jack',
      'consumers/jack/credentials/1',
      'global_rules/1',
      'plugin_metadata/syslog',
      'plugins',
      'protos/arr_1',
      'secrets/vault/1',
    ]);
  });
});

describe('versions', () => {
  test('one that is left out grows by one, and a kind that is left out is emptied', async () => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [route], upstreams: [{ id: 'u', nodes: {} }], routes_conf_version: 5 });

    await configs.put('d2', { upstreams: [{ id: 'v', nodes: {} }] });

    expect(await configs.shown()).toMatchObject({ routes_conf_version: 6, upstreams_conf_version: 2 });
    expect(Object.keys(await configs.stored())).toEqual(['upstreams/v']);
  });

  test('the same one keeps what there is, whatever is sent for it', async () => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [route], routes_conf_version: 5 });

    await configs.put('d2', { routes: [{ ...route, uri: '/other' }], routes_conf_version: 5 });

    expect(await configs.shown()).toMatchObject({ routes: [route], 'X-Digest': 'd2' });
    expect(await configs.stored()).toEqual({ 'routes/r1': route });
  });

  test('a greater one replaces it', async () => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [route], routes_conf_version: 5 });

    await configs.put('d2', { routes: [{ ...route, uri: '/other' }], routes_conf_version: 6.5 });

    expect(await configs.stored()).toEqual({ 'routes/r1': { ...route, uri: '/other' } });
  });
});

describe('an item with modifiedIndex', () => {
  const versioned = (modifiedIndex: number | undefined, uri: string): object => ({
    ...route,
    uri,
    ...(modifiedIndex === undefined ? {} : { modifiedIndex }),
  });

  test.for([
    ['that is the same stays as it is', 7, 7, '/old'],
    ['that is another replaces the former', 7, 8, '/new'],
    ['that is lower does too', 7, 6, '/new'],
    ['that is not there does too', 7, undefined, '/new'],
    ['that is the version of the former, which had none, stays', undefined, 3, '/old'],
  ] as const)('%s', async ([, before, after, uri]) => {
    await using configs = await openConfigs();
    await configs.put('d1', { routes: [versioned(before, '/old')], routes_conf_version: 3 });

    await configs.put('d2', { routes: [versioned(after, '/new')] });

    expect(await configs.stored()).toEqual({ 'routes/r1': { ...route, uri } });
    expect(await configs.shown()).toMatchObject({ routes: [versioned(after, '/new')] });
  });

  test('that is no whole number is refused', async () => {
    await using configs = await openConfigs();

    const { text } = await configs.put('d1', { routes: [{ ...route, modifiedIndex: '1' }] });

    expect(JSON.parse(text)).toMatchObject(
      says(
        'invalid configuration: property "modifiedIndex" validation failed: wrong type: expected integer, got string',
      ),
    );
  });
});

describe('a private key', () => {
  const keyring = ['0123456789abcdef'];
  const ssl = { id: 's', sni: 'one.example.com', cert: testPairs.one.cert };

  test.for([
    ['in PEM', testPairs.one.key],
    ['encrypted', encryptText(testPairs.one.key, keyring)],
  ] as const)('%s is taken, and kept and shown as it was sent', async ([, key]) => {
    await using configs = await openConfigs({ keyring });

    const { status } = await configs.put('d1', { ssls: [{ ...ssl, key }] });

    expect(status).toBe(202);
    expect(await configs.shown()).toMatchObject({ ssls: [{ ...ssl, key }] });
    expect(await configs.stored()).toEqual({ 'ssls/s': { ...ssl, key } });
  });

  test.for([
    [
      'of another keyring',
      encryptText(testPairs.one.key, ['fedcba9876543210']),
      'failed to decrypt previous',
    ],
    ['of another certificate', testPairs.two.key, 'the key does not belong to the cert'],
  ] as const)('%s is refused', async ([, key, error]) => {
    await using configs = await openConfigs({ keyring });

    const { status, text } = await configs.put('d1', { ssls: [{ ...ssl, key }] });

    expect([status, text]).toEqual([400, expect.stringContaining(error)]);
  });
});

test('what stayed the same is no part of the change', async () => {
  await using configs = await openConfigs();
  await configs.put('d1', { routes: [route] });
  const before = await configs.revision();

  await configs.put('d2', { routes: [route] });
  const same = await configs.revision();
  await configs.put('d3', { routes: [route, { ...route, id: 'r2' }], protos: [{ id: 'p', content: 'x' }] });

  expect([same, await configs.revision()]).toEqual([before, before + 1]);
});

test('of two that are sent at once with one digest, one is taken', async () => {
  await using configs = await openConfigs();

  const replies = await Promise.all([configs.put('d1', { routes: [route] }), configs.put('d1', {})]);

  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202, 204]));
});
