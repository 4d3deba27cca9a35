import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface ApisixOptions {
  /** Default: this package's folder, which is no installation. */
  readonly cwd?: string;
  /** Beside the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shell text to run before, such as `ulimit -n 512`. */
  readonly before?: string;
}

export interface ApisixOutcome {
  readonly status: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the `apisix` command as a shell does, to its end. */
export async function apisix(args: readonly string[], options: ApisixOptions = {}): Promise<ApisixOutcome> {
  const child = spawnApisix(args, options);
  const [stdout, stderr, [status]] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    once(child, 'exit'),
  ]);
  return { status, stdout, stderr };
}

/** Runs it and lets it run. */
export function spawnApisix(args: readonly string[], options: ApisixOptions = {}): ChildProcess {
  const { cwd = packageFolder, env = {}, before = ':' } = options;
  const command = [process.execPath, '--conditions=@apisix-ts/source', main, ...args];
  return spawn('sh', ['-c', `${before}; exec "$@"`, 'sh', ...command], {
    cwd,
    env: { ...process.env, APISIX_PREFIX: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
