import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, notesDir, root } from './paths.mjs';
import { Problem } from './problem.mjs';
import { withProgress } from './progress.mjs';
import { run } from './run.mjs';

const note = join(notesDir, 'built');

/** Is every package's dist there, made from the sources as they are now? Looks at names, sizes and times only. */
export function isBuilt() {
  const packages = packageDirs();
  return (
    packages.every((dir) => existsSync(join(dir, 'dist', 'index.js'))) &&
    existsSync(note) &&
    readFileSync(note, 'utf8') === fingerprint(packages)
  );
}

/** Compiles what changed. Needs the lock. */
export async function build() {
  if (isBuilt()) return;
  const packages = packageDirs();
  const before = fingerprint(packages);
  rmSync(note, { force: true });
  await withProgress('Building', async () => {
    const { status, output } = await run(bin('tsc'), ['-b']);
    if (status === 0) return;
    throw new Problem(`${output}The build failed: mend the errors above, then run this again.`);
  });
  writeFileSync(note, before);
}

function packageDirs() {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group))
      .map((name) => join(root, group, name))
      .filter((dir) => existsSync(join(dir, 'tsconfig.build.json'))),
  );
}

function fingerprint(packages) {
  const hash = createHash('sha256');
  const add = (path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  add(join(root, 'tsconfig.json'));
  add(join(root, 'tsconfig.base.json'));
  for (const dir of packages) {
    add(join(dir, 'tsconfig.build.json'));
    add(join(dir, 'package.json'));
    for (const name of readdirSync(join(dir, 'src'), { recursive: true })) {
      if (name.endsWith('.ts')) add(join(dir, 'src', name));
    }
  }
  return hash.digest('hex');
}
