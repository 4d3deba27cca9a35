import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { runOrFail } from '../../testbed/process.ts';
import { pathWithTools, root } from '../../testbed/published.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

test('a changeset for one package raises the version of all, and is used up', async () => {
  const clone = join(await mkdtemp(join(tmpdir(), 'release-')), 'clone');
  onTestFinished(() => rm(join(clone, '..'), { recursive: true, force: true }));
  await runOrFail('git', ['clone', '--quiet', root, clone]);
  await writeFile(
    join(clone, '.changeset', 'of-this-test.md'),
    "---\n'@apisix-ts/core': minor\n---\n\nRoutes can be green.\n",
  );
  const before = await publicManifests(clone);

  const env = { PATH: pathWithTools() };
  await runOrFail('pnpm', ['install', '--prefer-offline', '--frozen-lockfile'], { cwd: clone, env });
  await runHandedOver(import.meta.filename, 'docs/releasing.md', async (next) => {
    await runOrFail('sh', ['-ec', next()], { cwd: clone, env });
  });

  const after = await publicManifests(clone);
  const [, minor = ''] = before[0]?.version.split('.') ?? [];
  expect(new Set(before.map(({ version }) => version)).size).toBe(1);
  expect(new Set(after.map(({ version }) => version))).toEqual(new Set([`0.${Number(minor) + 1}.0`]));
  expect(await readFile(join(clone, 'packages', 'core', 'CHANGELOG.md'), 'utf8')).toContain(
    'Routes can be green.',
  );
  expect(globSync('.changeset/*.md', { cwd: clone })).toEqual([]);
});

async function publicManifests(folder: string): Promise<readonly Manifest[]> {
  const paths = globSync('{packages,apps}/*/package.json', { cwd: folder });
  const texts = await Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')));
  // Our own manifests: the workspace would not install with another shape.
  return texts.map((text) => JSON.parse(text) as Manifest).filter((manifest) => manifest.private !== true);
}
