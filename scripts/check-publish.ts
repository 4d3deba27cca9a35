/**
 * `pnpm publish:check`: each public package, as `pnpm pack` would publish it, is complete: publint finds nothing, it
 * holds no test and nothing whose source is gone, and it can be imported in an empty project by plain Node.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

interface Packed {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly tarball: string;
}

const root = dirname(import.meta.dirname);
const workDir = mkdtempSync(join(tmpdir(), 'apisix-ts-publish-'));
try {
  const packed = publicPackages().map(({ dir, manifest }) => ({ dir, manifest, tarball: pack(dir) }));
  const problems = [...(await Promise.all(packed.map(checkTarball))).flat(), ...checkImports(packed)];
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(workDir, { recursive: true, force: true });
}

function publicPackages(): { dir: string; manifest: Manifest }[] {
  return globSync('{packages,apps}/*/package.json', { cwd: root })
    .map((path) => ({ dir: join(root, dirname(path)), manifest: readManifest(join(root, path)) }))
    .filter(({ manifest }) => manifest.private !== true);
}

function readManifest(path: string): Manifest {
  // Our own manifests: the workspace would not install with another shape.
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

function pack(dir: string): string {
  const output = execFileSync('pnpm', ['pack', '--json', '--pack-destination', workDir], {
    cwd: dir,
    encoding: 'utf8',
  });
  // The documented shape of `pnpm pack --json`.
  return (JSON.parse(output) as { readonly filename: string }).filename;
}

async function checkTarball({ dir, manifest, tarball }: Packed): Promise<string[]> {
  // A copy: the buffer of a small file is a part of a larger one.
  const bytes = new Uint8Array(readFileSync(tarball)).buffer;
  const { messages } = await publint({ pack: { tarball: bytes }, strict: true });
  const said = messages.map((message) => formatMessage(message, manifest, { color: false }) ?? message.code);
  return [...said, ...checkFiles(dir, tarball)].map((problem) => `${manifest.name}: ${problem}`);
}

function checkFiles(dir: string, tarball: string): string[] {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
  const sourceOf = (file: string) => file.replace(/^dist\//, 'src/').replace(/\.(js|d\.ts|js\.map)$/, '.ts');
  return [
    ...files
      .filter((file) => /\.test\./.test(file))
      .map((file) => `${file} is a test and would be published.`),
    ...files
      .filter((file) => /^dist\/.*\.(js|d\.ts|js\.map)$/.test(file) && !existsSync(join(dir, sourceOf(file))))
      .map(
        (file) =>
          `${file} would be published, but its source is gone: run pnpm clean and pnpm build --force.`,
      ),
  ];
}

/** Installs all tarballs in an empty project and imports them. `./contract` entries need a running vitest: not here. */
function checkImports(packed: readonly Packed[]): string[] {
  const project = join(workDir, 'project');
  mkdirSync(project);
  const files = Object.fromEntries(packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: files }),
  );
  const settings = {
    packages: ['.'],
    overrides: files,
    pmOnFail: 'ignore',
    allowBuilds: { protobufjs: false },
  };
  // YAML holds JSON.
  writeFileSync(join(project, 'pnpm-workspace.yaml'), JSON.stringify(settings));
  execFileSync('pnpm', ['install', '--prefer-offline', '--prod', '--silent'], {
    cwd: project,
    stdio: ['ignore', 2, 2],
  });

  return packed
    .filter(({ manifest }) => manifest.exports?.['.'] !== undefined)
    .flatMap(({ manifest }) => importIn(project, manifest.name));
}

function importIn(project: string, specifier: string): string[] {
  try {
    const program = `await import(${JSON.stringify(specifier)})`;
    execFileSync('node', ['--input-type=module', '--eval', program], {
      cwd: project,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return [];
  } catch (error) {
    return [`${specifier} cannot be imported once published: ${String(error)}`];
  }
}
