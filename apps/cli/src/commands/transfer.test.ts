import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedStore } from '@apisix-ts/store-embedded';
import { freePort, makeCertificate } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import type { Installation } from '../testing/installation.ts';

const file = `upstreams:
  - id: u
    nodes:
      "127.0.0.1:3306": 1
    create_time: 1
    update_time: 2
stream_routes:
  - id: mysql
    server_port: 9100
    upstream_id: u
    create_time: 1
    update_time: 2
#END
`;
const edited = file.replace('9100', '9200').replace('    nodes', '    desc: edited\n    nodes');
const config = streamConfig({ tcp: [9100] });

describe('export, import and diff', () => {
  test('of a store that no gateway has: what was imported is what is exported', async () => {
    const { home, read, write } = await createInstallation(config);
    await write('all.yaml', file);

    const imported = await apisix(['import', 'all.yaml', '-p', home], { cwd: home });
    const exported = await apisix(['export', 'out.yaml', '-p', home], { cwd: home });
    const printed = await apisix(['export', '-p', home]);
    const difference = await apisix(['diff', 'out.yaml', '-p', home], { cwd: home });

    expect(imported).toEqual({
      status: 0,
      stdout: '+ upstreams/u\n+ stream_routes/mysql\n2 created, 0 updated, 0 deleted, 0 unchanged\n',
      stderr: '',
    });
    expect(exported).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(printed).toEqual({ status: 0, stdout: await read('out.yaml'), stderr: '' });
    expect(printed.stdout).toMatch(/^#.*\n#.*\nupstreams:\n {2}- id: u\n {4}create_time: 1\n[^]*\n#END\n$/);
    expect((await stat(join(home, 'out.yaml'))).mode & 0o777).toBe(0o600);
    expect(difference).toEqual({
      status: 0,
      stdout: 'would be: 0 created, 0 updated, 0 deleted, 2 unchanged\n',
      stderr: '',
    });
  });

  test('of the store of a gateway that runs, through its Admin API and with its key', async () => {
    const port = await freePort();
    const keyed = streamConfig({ tcp: [await freePort()], admin: port }).replace(
      'admin_key_required: false',
      'admin_key_required: true',
    );
    const { home, read, write } = await createInstallation(keyed);
    await write('all.yaml', file);
    await write('edited.yaml', edited);
    await apisix(['start', '-p', home]);

    const imported = await apisix(['import', 'all.yaml', '-p', home], { cwd: home });
    const pruned = await apisix(['import', 'edited.yaml', '--prune', '--json', '-p', home], { cwd: home });
    const exported = await apisix(['export', 'out.json', '-p', home], { cwd: home });

    expect(imported.stdout).toContain('2 created, 0 updated, 0 deleted, 0 unchanged\n');
    expect(JSON.parse(pruned.stdout)).toMatchObject({
      dry_run: false,
      done: 2,
      updated: [
        { key: 'upstreams/u', changes: [{ path: 'desc', to: 'edited' }] },
        { key: 'stream_routes/mysql', changes: [{ path: 'server_port', from: 9100, to: 9200 }] },
      ],
    });
    expect(exported.status).toBe(0);
    expect(JSON.parse(await read('out.json'))).toMatchObject({
      upstreams: [{ id: 'u', desc: 'edited', create_time: 1 }],
      stream_routes: [{ id: 'mysql', server_port: 9200 }],
    });
    const url = `http://127.0.0.1:${port}/apisix/admin/stream_routes/mysql`;
    const headers = { 'x-api-key': (await read('data/admin.key')).trim() };
    expect(await (await fetch(url, { headers })).json()).toMatchObject({ value: { server_port: 9200 } });
  });

  test('of the store of a gateway whose Admin API speaks TLS', async () => {
    const admin = await freePort();
    const secured = streamConfig({ tcp: [await freePort()], admin }).replace(
      '  admin:\n',
      `  admin:
    https_admin: true
    admin_api_mtls: { admin_ssl_cert: admin.crt, admin_ssl_cert_key: admin.key }
`,
    );
    expect(secured).toContain('https_admin');
    const { home, write } = await createInstallation(secured);
    const { cert, key } = await makeCertificate({ names: ['admin.test'] });
    await write('conf/admin.crt', cert);
    await write('conf/admin.key', key);
    await write('all.yaml', file);
    await apisix(['start', '-p', home]);

    const imported = await apisix(['import', 'all.yaml', '-p', home], { cwd: home });
    // The gateway still shows the former one.
    const other = await makeCertificate({ names: ['admin.test'] });
    await write('conf/admin.crt', other.cert);
    await write('conf/admin.key', other.key);
    const mistaken = await apisix(['export', '-p', home]);

    expect(imported.stdout).toContain('2 created, 0 updated, 0 deleted, 0 unchanged\n');
    expect(mistaken).toMatchObject({ status: 1, stderr: expect.stringContaining('(ADMIN_API_UNUSABLE)') });
  });

  test('many resources go through the Admin API in several requests', async () => {
    const admin = await freePort();
    const { home, write } = await createInstallation(streamConfig({ tcp: [await freePort()], admin }));
    const count = 3000;
    const upstreams = Array.from({ length: count }, (_, n) => ({
      id: `u${n}`,
      desc: 'x'.repeat(200),
      labels: Object.fromEntries(Array.from({ length: 6 }, (__, m) => [`label${m}`, 'y'.repeat(200)])),
      nodes: { '127.0.0.1:80': 1 },
    }));
    await write('all.json', JSON.stringify({ upstreams }));
    await apisix(['start', '-p', home]);

    const imported = await apisix(['import', 'all.json', '-p', home], { cwd: home });
    const again = await apisix(['diff', 'all.json', '-p', home], { cwd: home });

    expect(imported.stdout).toContain(`${count} created, 0 updated, 0 deleted, 0 unchanged\n`);
    expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining(`${count} unchanged`) });
  });

  test('a difference is status 1 and shown, and changes nothing', async () => {
    const { home, write } = await createInstallation(config);
    await write('all.yaml', file);
    await write('edited.yaml', edited.replaceAll('id: u\n', 'id: v\n'));
    await apisix(['import', 'all.yaml', '-p', home], { cwd: home });

    const difference = await apisix(['diff', 'edited.yaml', '-p', home], { cwd: home });
    const dryRun = await apisix(['import', '--dry-run', '--prune', 'edited.yaml', '-p', home], { cwd: home });

    const changes = `+ upstreams/v
~ stream_routes/mysql
    ~ server_port: 9100 -> 9200
    ~ upstream_id: "u" -> "v"
`;
    expect(difference).toEqual({
      status: 1,
      stdout: `${changes}would be: 1 created, 1 updated, 0 deleted, 0 unchanged; 1 of the store is not in the file and stays, --prune would delete it\n`,
      stderr: '',
    });
    expect(dryRun).toEqual({
      status: 0,
      stdout: `${changes}- upstreams/u\nwould be: 1 created, 1 updated, 1 deleted, 0 unchanged\n`,
      stderr: '',
    });
    expect((await apisix(['diff', 'all.yaml', '-p', home], { cwd: home })).status).toBe(0);
  });

  test('a file with faults is refused with all of them and their places, and nothing is written', async () => {
    const { home, write } = await createInstallation(config);
    await write('bad.yaml', file.replace('9100', 'x').replace('upstream_id: u', 'upstream_id: v'));

    const imported = await apisix(['import', 'bad.yaml', '-p', home], { cwd: home });
    const difference = await apisix(['diff', 'bad.yaml', '-p', home], { cwd: home });
    const exported = await apisix(['export', '-p', home]);

    expect(imported).toEqual({
      status: 1,
      stdout: '',
      stderr: `${home}/bad.yaml:9:5: stream_routes/mysql: invalid configuration: property "server_port" validation failed: wrong type: expected integer, got string
${home}/bad.yaml:10:5: stream_routes/mysql: names the upstream v: there is none (RESOURCE_INVALID)
`,
    });
    expect(difference).toEqual({ ...imported, status: 2 });
    expect(exported.stdout).toContain('stream_routes: []\n#END\n');
  });

  test.for([
    ['cut off', (text: string) => text.slice(0, 100), 'missing valid end flag'],
    ['that is not there', undefined, 'expected a file of resources: ENOENT'],
  ] as const)('a file %s is refused', async ([, change, message]) => {
    const { home, write } = await createInstallation(config);
    if (change !== undefined) await write('all.yaml', change(file));

    expect(await apisix(['import', 'all.yaml', '-p', home], { cwd: home })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(message),
    });
  });

  test('standard input is read for -', async () => {
    const { home, write } = await createInstallation(config);
    await write('all.yaml', file);

    const imported = await apisix(['import', '-', '-p', home], { before: `exec < ${home}/all.yaml` });

    expect(imported).toMatchObject({ status: 0, stdout: expect.stringContaining('2 created') });
  });

  test('-c names the store of another config.yaml, whatever runs', async () => {
    const admin = await freePort();
    const { home, write } = await createInstallation(streamConfig({ tcp: [await freePort()], admin }));
    await write('all.yaml', file);
    await write(
      'other.yaml',
      config.replace('deployment:', 'deployment:\n  embedded: { path: data/other.db }'),
    );
    await apisix(['start', '-p', home]);

    await apisix(['import', 'all.yaml', '-c', 'other.yaml', '-p', home], { cwd: home });

    expect((await apisix(['export', '-p', home])).stdout).toContain('stream_routes: []\n');
    expect((await apisix(['export', '-p', home, '-c', join(home, 'other.yaml')])).stdout).toContain(
      '- id: mysql',
    );
  });

  test('what is no resource, and a time-to-live, are told', async () => {
    const { home } = await createInstallation(config);
    const store = await openEmbeddedStore({ path: join(home, 'data/apisix.db') });
    await store.writer.put('elsewhere/1', '{}');
    await store.writer.put('upstreams/1', '{"nodes":{},"id":"1"}', { ttlSeconds: 600 });
    await store.close();

    const { status, stdout, stderr } = await apisix(['export', '-p', home]);

    expect(status).toBe(1);
    expect(stdout).toContain('upstreams:\n  - id: "1"\n');
    expect(stderr).toBe(`left out: elsewhere/1 is no kind of resource
warning: upstreams/1 has a time-to-live, which the file does not have: imported, it stays
`);
  });
});

describe('a store that cannot be had', () => {
  test('because the gateway that has it has no Admin API', async () => {
    const { home } = await createInstallation(streamConfig({ tcp: [await freePort()] }));
    await apisix(['start', '-p', home]);

    expect(await apisix(['export', '-p', home])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('stop it first (ADMIN_API_UNUSABLE)'),
    });
  });

  test('because its Admin API refuses', async () => {
    const installation = await createInstallation(
      streamConfig({ tcp: [await freePort()], admin: await freePort() }),
    );
    await apisix(['start', '-p', installation.home]);
    await changeKey(installation);

    expect(await apisix(['export', '-p', installation.home])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/answered 401: .*wrong apikey.*\(ADMIN_API_UNUSABLE\)/),
    });
  });

  test('because a process without a pid file has it', async () => {
    const { home } = await createInstallation(config);
    const store = await openEmbeddedStore({ path: join(home, 'data/apisix.db') });
    onTestFinished(() => store.close());

    expect(await apisix(['export', '-p', home])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('(STORE_LOCKED)'),
    });
  });

  test('because it is damaged', async () => {
    const { home, write } = await createInstallation(config);
    await write('data/apisix.db', '\0damaged');

    expect(await apisix(['export', '-p', home])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('(STORE_CORRUPT)'),
    });
  });
});

test.for<[line: string, problem: string]>([
  ['import', 'Missing argument FILE'],
  ['diff', 'Missing argument FILE'],
  ['import a b', "Unexpected argument 'b'"],
  ['export a b', "Unexpected argument 'b'"],
])('apisix %s is not understood', async ([line, problem]) => {
  const { status, stderr } = await apisix(line.split(' '));

  expect([status, stderr]).toEqual([2, expect.stringContaining(problem)]);
});

/** The running gateway goes on with the key that it had. */
async function changeKey({ read, write, home }: Installation): Promise<void> {
  const admin = (key: string): string =>
    `admin_key_required: true\n    admin_key: [{ name: a, key: ${key}, role: admin }]`;
  const text = await read('conf/config.yaml');
  await write('conf/config.yaml', text.replace('admin_key_required: false', admin('first')));
  await apisix(['reload', '-p', home]);
  await write('conf/config.yaml', text.replace('admin_key_required: false', admin('second')));
}
