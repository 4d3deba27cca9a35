import { spawnSync } from 'node:child_process';

/** What a program says of its version, or undefined where it is not installed. */
export function versionOf(command: string, ...args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  // nginx says it on standard error.
  return status === 0 ? /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)?.[0] : undefined;
}
