import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectPeer, openEcho, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer, TestServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildBinary } from '../../testbed/binary.ts';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { canOpenTerminals, openTerminal } from '../../testbed/docs/terminal.ts';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { runOrFail, startProcess } from '../../testbed/process.ts';
import { pathWithTools, root } from '../../testbed/published.ts';

let leaks: LeakCheck;
let etcd: EtcdServer;
let echo: TestServer;
/** Has nothing but the file, under both of its names. */
let folder: string;
let binary: string;
let apisix: string;

beforeAll(async () => {
  leaks = openLeakCheck();
  folder = await mkdtemp(join(tmpdir(), 'binary-'));
  binary = join(folder, 'apisix-gateway');
  apisix = join(folder, 'apisix');
  await copyFile(await buildBinary(), binary);
  await symlink('apisix-gateway', apisix);
  etcd = await startEtcd();
  echo = await openEcho();
});

afterAll(async () => {
  await Promise.all([etcd.close(), echo.close()]);
  await rm(folder, { recursive: true, force: true });
  expect(await leaks.leftovers()).toEqual([]);
});

/** No Node, and nothing else, can be found from here. */
const env = (): Readonly<Record<string, string>> => ({ PATH: folder, APISIX_WORKER_PROCESSES: '2' });

/** As the command prints it. */
async function version(): Promise<string> {
  const manifest = await readFile(join(root, 'apps', 'gateway', 'package.json'), 'utf8');
  return `${String(/"version": "(.*)"/.exec(manifest)?.[1])}\n`;
}

async function installation(command: string): Promise<GatewayInstallation> {
  const gateway = await createGatewayInstallation({ command, env: env() });
  onTestFinished(() => gateway.remove());
  return gateway;
}

async function proxies(gateway: GatewayInstallation): Promise<boolean> {
  const upstream = { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } };
  await gateway.put('/stream_routes', { id: '1', upstream });
  const client = await connectPeer(gateway.streamPort);
  await client.send('hello');
  const answer = await client.take(5);
  client.end();
  await client.closed;
  return answer.toString() === 'hello';
}

test('is the apisix command when it is called so, or with an action', async () => {
  expect(await runOrFail(apisix, ['version'], { env: env() })).toBe(await version());
  expect(await runOrFail(binary, ['version'], { env: env() })).toBe(await version());
  expect(await runOrFail(binary, ['--version'], { env: env() })).toBe(await version());
  expect(await runOrFail(apisix, [], { env: env() })).toMatch(/^Usage: apisix \[action\]/);
  expect(await runOrFail(binary, ['--help'], { env: env() })).toMatch(/^Usage: apisix-gateway/);
});

/** Runs commands of a page in the clone. */
const inClone = (commands: string): Promise<string> =>
  runOrFail('sh', ['-ec', commands], { cwd: root, env: { PATH: pathWithTools() }, limitMs: 120_000 });

test.skipIf(!canOpenTerminals())('is built and installed by the commands of the page', async () => {
  const terminal = await openTerminal({
    folder: root,
    tempFolder: await mkdtemp(join(folder, 'terminal-')),
    env: process.env,
    addresses: [],
    names: {},
    writes: ['/usr/local'],
  });
  onTestFinished(() => terminal.close());

  await runHandedOver(import.meta.filename, 'docs/install.md', async (next) => {
    await inClone(next());
    expect(await terminal.run(next(), 10_000)).toEqual({ output: '' });
  });

  expect(await terminal.run('/usr/local/bin/apisix version', 10_000)).toEqual({ output: await version() });
  expect(await terminal.run('/usr/local/bin/apisix-gateway --version', 10_000)).toEqual({
    output: await version(),
  });
});

test('a release looks at its version', async () => {
  await runHandedOver(import.meta.filename, 'docs/releasing.md', async (next) => {
    expect((await inClone(next())).endsWith(`\n${await version()}`)).toBe(true);
  });
});

test.for([
  { store: 'embedded', deployment: () => '' },
  { store: 'etcd', deployment: () => `etcd: { host: ["${etcd.endpoint}"] }` },
])(
  'starts without Node, proxies, reloads, is upgraded and quits, with the $store store',
  async ({ deployment }) => {
    const gateway = await installation(apisix);
    const listening = `proxy_mode: stream\nstream_proxy: { tcp: [${gateway.streamPort}] }`;

    await gateway.configure('proxy_mode: stream', deployment());
    await gateway.apisixOk('start');
    await gateway.configure(listening, deployment());
    await gateway.apisixOk('reload');

    // Threads, which run the script that the file carries.
    expect(await gateway.control('/config/status')).toMatchObject({
      workers: expect.arrayContaining([
        expect.objectContaining({ id: 0 }),
        expect.objectContaining({ id: 1 }),
      ]),
    });
    expect(await proxies(gateway)).toBe(true);
    const { stdout } = await gateway.apisixOk('upgrade');
    expect(stdout).toMatch(/process \d+ serves/);
    expect(await proxies(gateway)).toBe(true);
    await gateway.apisixOk('quit');
    expect(await gateway.apisix('stop')).toMatchObject({ status: 1 });
  },
);

test('in the foreground it becomes the gateway, under whichever name it is installed', async () => {
  const gateway = await installation(apisix);
  await gateway.configure(`proxy_mode: stream\nstream_proxy: { tcp: [${gateway.streamPort}] }`);
  // One that has no other name than `apisix`.
  const only = join(gateway.home, 'apisix');
  await copyFile(binary, only);

  const running = await startProcess(only, ['start', '--foreground', '--home', gateway.home], { env: env() });
  await running.waitForOutput(/Ctrl-C stops the gateway/);

  expect(await proxies(gateway)).toBe(true);
  running.kill('SIGQUIT');
  expect(await running.exited).toEqual({ status: 0, signal: null });
});
