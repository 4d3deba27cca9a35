/**
 * `pnpm build:binary`: the gateway and its command in one file, `dist/apisix-gateway`, with Node inside. The program is
 * bundled into one module, the program of the worker threads into a script that travels as an asset.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import type { Plugin } from 'rolldown';

const root = join(import.meta.dirname, '..', '..');
const runtime = import.meta.resolve('@apisix-ts/runtime/package.json');
const gateway = import.meta.resolve('@apisix-ts/gateway/package.json');
const output = join(root, 'dist', 'apisix-gateway');
/** There is no package.json beside a single file. */
const ownVersion: Plugin = {
  name: 'own-version',
  load(id) {
    if (id !== fileURLToPath(new URL('src/version.ts', gateway))) return undefined;
    // Our own manifest.
    const manifest = JSON.parse(readFileSync(new URL(gateway), 'utf8')) as {
      readonly version: string;
    };
    return `export const version = ${JSON.stringify(manifest.version)};`;
  },
};

const workDir = mkdtempSync(join(tmpdir(), 'apisix-ts-binary-'));
try {
  const main = join(workDir, 'main.mjs');
  const worker = join(workDir, 'worker.cjs');
  await bundle(join(import.meta.dirname, 'src', 'main.ts'), main, 'esm');
  await bundle(fileURLToPath(new URL('src/workers/worker-thread.ts', runtime)), worker, 'cjs');
  const config = join(workDir, 'sea.json');
  writeFileSync(
    config,
    JSON.stringify({
      main,
      mainFormat: 'module',
      output,
      disableExperimentalSEAWarning: true,
      assets: { worker },
    }),
  );
  mkdirSync(join(root, 'dist'), { recursive: true });
  execFileSync(process.execPath, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  console.log(`${output}: ${(statSync(output).size / 1e6).toFixed(0)} MB`);
} finally {
  rmSync(workDir, { recursive: true, force: true });
}

async function bundle(input: string, file: string, format: 'esm' | 'cjs'): Promise<void> {
  const build = await rolldown({
    input,
    platform: 'node',
    resolve: { conditionNames: ['@apisix-ts/source', 'node'] },
    plugins: [ownVersion],
    // What cannot be resolved would be missing in the file.
    onLog(level, log) {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      if (level === 'warn') console.warn(log.message);
    },
  });
  await build.write({ file, format, codeSplitting: false });
  await build.close();
}
