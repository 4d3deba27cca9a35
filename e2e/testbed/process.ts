import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Exit {
  /** `null` when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program in the background. It shares the tests' process group, so that what ends them ends it. */
export interface RunningProcess {
  readonly pid: number;
  /** Settles when it has ended and all its output was read. */
  readonly exited: Promise<Exit>;
  /** Everything it wrote so far, both streams in the order of arrival. */
  output(): string;
  /**
   * Settles once its output matches, what was written before the call included. `limitMs`: default 120 000.
   * Rejects, with the output, when it exits first or the time is over.
   */
  waitForOutput(pattern: RegExp, limitMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Asks with SIGTERM, insists with SIGKILL after `limitMs` (default 60 000), settles when it has ended. Idempotent. */
  stop(limitMs?: number): Promise<Exit>;
}

/** Starts a program. Rejects when it cannot be started at all. */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<RunningProcess> {
  const env = { ...process.env, ...options.env };
  const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
  let output = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const watch of watchers) watch();
    });
  }
  await once(child, 'spawn');

  return {
    pid: child.pid ?? 0,
    exited,
    output: () => output,
    async waitForOutput(pattern, limitMs = 120_000) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const fail = (why: string): void =>
        reject(new Error(`${command} ${why} before it said ${pattern}:\n${output}`));
      const watch = (): void => {
        if (pattern.test(output)) resolve();
      };
      const timer = setTimeout(() => fail(`took longer than ${limitMs} ms`), limitMs);
      watchers.add(watch);
      watch();
      void exited.then(() => fail('ended'));
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        watchers.delete(watch);
      }
    },
    kill: (signal) => void child.kill(signal),
    async stop(limitMs = 60_000) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      return exited.finally(() => clearTimeout(timer));
    },
  };
}

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions extends ProcessOptions {
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
  /** It is killed after this long. Milliseconds; default 180 000. */
  readonly limitMs?: number;
}

/** Runs a program to its end. Rejects only when it cannot be started; a bad exit status is a result. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env, input = '', limitMs = 180_000 }: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A program may end without reading its input.
  child.stdin.on('error', () => {}).end(input);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { status, stdout, stderr };
}

/** Runs a program that has to succeed. @returns what it wrote to stdout. Rejects with what it wrote to stderr. */
export async function runOrFail(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { status, stdout, stderr } = await runCommand(command, args, options);
  if (status === 0) return stdout;
  throw new Error(
    `${[command, ...args].join(' ')} ended with status ${status}: ${(stderr || stdout).slice(-2_000)}`,
  );
}
