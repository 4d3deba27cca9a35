import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectPeer, freePort, openEcho } from '@apisix-ts/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import type { NpmRegistry } from '../../testbed/npm-registry.ts';
import { runOrFail } from '../../testbed/process.ts';
import { npm, pathWithTools, publishAll, root } from '../../testbed/published.ts';

let leaks: LeakCheck;
let registry: NpmRegistry;
let folder: string;

beforeAll(async () => {
  leaks = openLeakCheck();
  folder = await mkdtemp(join(tmpdir(), 'npm-'));
  registry = await publishAll();
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
  expect(await leaks.leftovers()).toEqual([]);
});

test('publishes every public package in one version, with its licence, and nothing else', async () => {
  const manifests = await publicManifests();

  expect([...registry.published.keys()].toSorted()).toEqual(manifests.map(({ name }) => name).toSorted());
  expect(new Set(manifests.map(({ version }) => version)).size).toBe(1);
  for (const manifest of manifests) {
    expect(manifest, manifest.name).toMatchObject({
      license: 'Apache-2.0',
      engines: { node: '^24.12.0 || >=26' },
      description: expect.stringMatching(/./),
    });
    // The largest, runtime, has some 110 kB: a tarball that is much larger holds what it should not.
    const tarball = registry.published.get(manifest.name)?.tarball;
    expect(tarball?.length, manifest.name).toBeLessThan(250_000);
  }
});

test('what the pages say brings an apisix that starts, proxies and quits', async () => {
  const prefix = join(folder, 'prefix');
  const env = { ...registry.env, npm_config_prefix: prefix, PATH: pathWithTools() };
  for (const page of ['docs/install.md', 'docs/operations/upgrading.md'] as const) {
    await runHandedOver(import.meta.filename, page, async (next) => {
      await runOrFail('sh', ['-ec', next()], { cwd: folder, env, limitMs: 180_000 });
    });
  }
  const gateway = await createGatewayInstallation({
    command: join(prefix, 'bin', 'apisix'),
    env: { PATH: pathWithTools() },
  });
  const echo = await openEcho();
  onTestFinished(async () => {
    await gateway.remove();
    await echo.close();
  });
  const [{ version } = { version: '' }] = await publicManifests();

  expect((await gateway.apisixOk('version')).stdout).toBe(`${version}\n`);

  await gateway.configure(`proxy_mode: stream\nstream_proxy: { tcp: ["127.0.0.1:${gateway.streamPort}"] }`);
  await gateway.apisixOk('start');
  const upstream = { type: 'roundrobin', nodes: { [`127.0.0.1:${echo.port}`]: 1 } };
  expect((await gateway.put('/stream_routes/1', { upstream })).status).toBe(201);
  const client = await connectPeer(gateway.streamPort);
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');
  client.end();
  await client.closed;
  await gateway.apisixOk('quit');
  expect(existsSync(join(gateway.home, 'logs', 'nginx.pid'))).toBe(false);
});

test('the packages work in an empty project: imports, types, the example of the README', async () => {
  const project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  const names = [...registry.published.keys()];
  await npm(registry, project, 'install', ...names, '@types/node');
  const env = { PATH: pathWithTools() };

  const imports = names.map((name) => `await import('${name}');`).join('\n');
  await writeFile(join(project, 'import-all.js'), imports);
  await runOrFail('node', ['import-all.js'], { cwd: project, env });

  const types = names.map((name, index) => `export * as all${index} from '${name}';`).join('\n');
  await writeFile(join(project, 'types.ts'), types);
  const readme = await readmeExample();
  await writeFile(join(project, 'readme.ts'), readme);
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node', '--noEmit'];
  await runOrFail('tsc', [...options, 'types.ts', 'readme.ts'], { cwd: project, env });

  const port = await freePort();
  const echo = await openEcho();
  const program = `${readme.replaceAll('9100', String(port)).replaceAll('3306', String(echo.port))}
const socket = (await import('node:net')).connect(${port}, '127.0.0.1');
socket.end('through the gateway').pipe(process.stdout);
socket.on('close', () => gateway.close());
`;
  await writeFile(join(project, 'run.ts'), program);
  try {
    expect(await runOrFail('node', ['run.ts'], { cwd: project, env })).toBe('through the gateway');
  } finally {
    await echo.close();
  }
});

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

async function publicManifests(): Promise<readonly Manifest[]> {
  const paths = await packageFolders();
  const texts = await Promise.all(paths.map((path) => readFile(join(path, 'package.json'), 'utf8')));
  // Our own manifests: the workspace would not install with another shape.
  return texts.map((text) => JSON.parse(text) as Manifest).filter((manifest) => manifest.private !== true);
}

async function packageFolders(): Promise<readonly string[]> {
  const groups = ['packages', 'apps'].map(async (group) =>
    (await readdir(join(root, group))).map((name) => join(root, group, name)),
  );
  return (await Promise.all(groups)).flat().filter((path) => existsSync(join(path, 'package.json')));
}

/** What is under "In a program": with its imports, and complete. */
async function readmeExample(): Promise<string> {
  const example = /^```ts\n([\s\S]*?)^```/m.exec(await readFile(join(root, 'README.md'), 'utf8'))?.[1];
  expect(example).toContain("from '@apisix-ts/runtime'");
  return example ?? '';
}
