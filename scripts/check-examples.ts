/**
 * A part of `pnpm docs:check`: the example of every package's README compiles against the sources. Examples leave out their
 * imports; here each exported name that one uses is imported, and what it takes from its surroundings is declared.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);

/** What examples leave to their surroundings, and a name that two packages have. */
const surroundings: Readonly<Record<string, string>> = {
  systemClock: `import { systemClock } from '@apisix-ts/transport';`,
  join: `import { join } from 'node:path';`,
  data: `declare const data: string;`,
  conf: `declare const conf: string;`,
  env: `const { env } = process;`,
  store: `declare const store: import('@apisix-ts/config').Store;`,
  gateway: `declare const gateway: import('@apisix-ts/runtime').Gateway;`,
  signal: `const { signal } = new AbortController();`,
};

const packages = globSync('packages/*/src/index.ts', { cwd: root }).map((path) => path.split('/')[1] ?? '');
const exporters = new Map<string, string>(
  packages.flatMap((name) =>
    exportsOf(`packages/${name}/src/index.ts`).map((word): [string, string] => [word, name]),
  ),
);

// Inside the workspace, so that the types of Node are found.
mkdirSync(join(root, 'node_modules', '.examples'), { recursive: true });
const workDir = mkdtempSync(join(root, 'node_modules', '.examples', 'check-'));
try {
  const names = packages.filter((name) => {
    const example = /^```ts\n([\s\S]*?)^```/m.exec(readText(`packages/${name}/README.md`))?.[1];
    if (example !== undefined) writeFileSync(join(workDir, `${name}.ts`), complete(example));
    return example !== undefined;
  });
  const paths = Object.fromEntries(
    packages.map((name) => [`@apisix-ts/${name}`, [join(root, 'packages', name, 'src', 'index.ts')]]),
  );
  const settings = {
    extends: join(root, 'tsconfig.source.json'),
    // A type may be imported like a value here; an example need not use what it shows.
    compilerOptions: { paths, verbatimModuleSyntax: false, noUnusedLocals: false, noUnusedParameters: false },
    files: names.map((name) => `${name}.ts`),
  };
  writeFileSync(join(workDir, 'tsconfig.json'), JSON.stringify(settings));
  execFileSync('tsc', ['-p', '.'], { cwd: workDir, stdio: 'inherit' });
} catch (error) {
  // The compiler has said what is wrong, by the names of the packages.
  if (!(error instanceof Error && 'status' in error)) throw error;
  process.exitCode = 1;
} finally {
  rmSync(workDir, { recursive: true, force: true });
}

/** The names that a module exports, and those it passes on. */
function exportsOf(path: string): string[] {
  const text = readText(path);
  const own = Array.from(text.matchAll(/^export (?:type )?\{([^}]*)\}/gm), ([, list = '']) => list)
    .flatMap((list) => list.split(','))
    .map((word) => word.trim())
    .filter((word) => /^\w+$/.test(word));
  const constants = Array.from(text.matchAll(/^export const (\w+)/gm), ([, word = '']) => word);
  const others = Array.from(text.matchAll(/^export \* from '(.*)'/gm), ([, from = '']) => from);
  return [...own, ...constants, ...others.flatMap((from) => exportsOf(join(dirname(path), from)))];
}

function complete(example: string): string {
  const declared = new Set(Array.from(example.matchAll(/\bconst \{? ?(\w+)/g), ([, word]) => word));
  const words = new Set(example.match(/[A-Za-z]+/g));
  const lines = [...words]
    .filter((word) => !declared.has(word))
    .flatMap((word) => {
      const exporter = exporters.get(word);
      return (
        surroundings[word] ??
        (exporter === undefined ? [] : `import { ${word} } from '@apisix-ts/${exporter}';`)
      );
    });
  return `${[...lines, example].join('\n')}\nexport {};\n`;
}

function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
