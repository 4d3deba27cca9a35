import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What somebody types when they have seen something. */
export interface Typed {
  readonly at: string;
  readonly keys: string;
}

export const ctrlC = '\u0003';

export interface TypingOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The commands are ended after this long. Milliseconds; default 180 000. */
  readonly limitMs?: number;
}

/**
 * Runs commands on a terminal of their own, which `script` of util-linux makes, and types.
 * @returns what was to be seen, and the exit status. Rejects, with what was to be seen, when they end before all is typed.
 */
export async function typeInto(
  commands: string,
  typed: readonly Typed[],
  { cwd, env, limitMs = 180_000 }: TypingOptions = {},
): Promise<{ readonly seen: string; readonly status: number | null }> {
  // A Ctrl-C is for the program: a shell around it would end by it as well, some always and others if the program is gone first.
  const shell = `exec bash -ec ${quoted(`trap : INT\n${commands}`)}`;
  const child = spawn('script', ['-qefc', shell, '/dev/null'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  const left = [...typed];
  let seen = '';
  let answered = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
    for (let next = left[0]; next !== undefined; next = left[0]) {
      const found = seen.indexOf(next.at, answered);
      if (found === -1) return;
      answered = found + next.at.length;
      child.stdin.write(next.keys);
      left.shift();
    }
  });
  const [status]: (number | null)[] = await once(child, 'close');
  // A terminal ends lines in its own way.
  seen = seen.replaceAll('\r\n', '\n');
  if (left[0] !== undefined) throw new Error(`expected to see ${JSON.stringify(left[0].at)}, saw:\n${seen}`);
  return { seen, status: status ?? null };
}

/** As one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
