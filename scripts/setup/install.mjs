import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, notesDir, root } from './paths.mjs';
import { Problem } from './problem.mjs';
import { withProgress } from './progress.mjs';
import { run } from './run.mjs';

const note = join(notesDir, 'installed');

/** Refuses, in one sentence, what cannot even fetch the pinned tools. */
export function checkMachine() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Problem(
      `Node ${process.versions.node} is too old for the set-up: install Node 20 or later; the version that the gateway runs on is then fetched by itself.`,
    );
  }
  const platform = `${process.platform}-${process.arch}`;
  if (!['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].includes(platform)) {
    throw new Problem(
      `This platform (${platform}) is not supported: use Linux or macOS on x64 or arm64, for example Debian 12 in a virtual machine.`,
    );
  }
}

/** Do node_modules and pnpm-lock.yaml belong together? Reads two small files. */
export function isInstalled() {
  return existsSync(note) && existsSync(bin('node')) && readFileSync(note, 'utf8') === lockfileHash();
}

/** Installs the dependencies, the pinned Node among them, with the pinned pnpm. Needs the lock. */
export async function install() {
  if (isInstalled()) return;
  rmSync(note, { force: true });
  mkdirSync(notesDir, { recursive: true });
  // A package of its own, so that npx does not pick the pnpm of an install that was interrupted half-way.
  writeFileSync(join(notesDir, 'package.json'), '{ "private": true }\n');

  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const args = [
    '--yes',
    packageManager,
    '--dir',
    root,
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
  ];
  await withProgress('Installing dependencies', async () => {
    const { status, output } = await npx(args);
    if (status === 0) return;
    const lastLines = output.trim().split('\n').slice(-12).join('\n');
    throw new Problem(
      `${lastLines}\nThe dependencies could not be installed (the lines above say why): check the network and the npm registry setting, then run this again.`,
    );
  });
  writeFileSync(note, lockfileHash());
}

async function npx(args) {
  // A registry that is not there is reported after seconds; npm's own pauses between tries take more than a minute.
  const env = {
    npm_config_fetch_retry_mintimeout: '1000',
    npm_config_fetch_retry_maxtimeout: '5000',
    ...process.env,
  };
  try {
    return await run('npx', args, { cwd: notesDir, env: { ...env, CI: 'true' } });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new Problem('The command npx was not found: install npm 10 or later, which brings it.');
  }
}

function lockfileHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex');
}
