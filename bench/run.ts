import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './machine.ts';
import { readOptions, summaries, usage } from './options.ts';
import type { CaseName, Options } from './options.ts';
import { enterOwnNetwork } from './programs/own-network.ts';
import { toMarkdown } from './report.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** `pnpm bench`: measures on loopback, prints Markdown, and leaves nothing behind. */
async function main(): Promise<void> {
  const options = readOptionsOrExit();
  if (options === undefined) return;
  if (process.platform !== 'linux' || !existsSync('/proc/self/stat')) {
    process.stderr.write('The benchmarks read CPU times from /proc, so they run on Linux only.\n');
    process.exitCode = 1;
    return;
  }
  // Where Debian has nginx and HAProxy, and other users than root do not look.
  process.env['PATH'] = `${process.env['PATH']}:/usr/sbin:/sbin`;
  enterOwnNetwork();
  const command = `pnpm bench ${process.argv.slice(2).join(' ')}`.trim();
  if (options.isList) {
    process.stdout.write(listCases(options.cases, command));
    return;
  }
  // What is measured is what was built, and the rest of this program uses the built packages too.
  const { status } = spawnSync(`${root}node_modules/.bin/tsc`, ['-b', 'apps/gateway', 'packages/testkit'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    process.stderr.write(
      'The gateway was not built, so there is nothing to measure; the errors are above.\n',
    );
    process.exitCode = 1;
    return;
  }
  const { measure } = await import('./measure-cases.ts');
  await measure(options, command);
}

function listCases(names: readonly CaseName[], command: string): string {
  const cases = { columns: ['case', 'what it measures'], rows: names.map((name) => [name, summaries[name]]) };
  return toMarkdown({ title: 'Cases', notes: [], tables: [cases, describeMachine(command)] });
}

function readOptionsOrExit(): Options | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

await main();
