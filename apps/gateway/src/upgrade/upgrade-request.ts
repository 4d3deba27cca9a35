import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isSea } from 'node:sea';
import { GatewayError } from '@apisix-ts/errors';

/** A program that serves: `<executable> <args> --home DIR [--config FILE]`. */
export interface SuccessorProgram {
  /** Absolute path. */
  readonly executable: string;
  readonly args: readonly string[];
}

/** Leaves word which program the running gateway is to start in its place. The signal comes after. */
export function writeUpgradeRequest(home: string, program: SuccessorProgram): void {
  const path = requestPath(home);
  // What somebody else left there is not written to.
  rmSync(path, { force: true });
  const descriptor = openSync(path, 'wx', 0o644);
  try {
    // Whatever the umask: root asks, and the gateway's user reads.
    fchmodSync(descriptor, 0o644);
    writeFileSync(descriptor, `${JSON.stringify(program)}\n`);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Takes the request away. Without one it is the program that runs: the signal was sent by hand.
 * @throws GatewayError `GATEWAY_UPGRADE_FAILED` for a request that others than this user and root could have written.
 */
export function takeUpgradeRequest(home: string): SuccessorProgram {
  const path = requestPath(home);
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ownProgram();
    throw untrusted(path, error);
  }
  try {
    const { uid, mode } = fstatSync(descriptor);
    const isOwn = uid === 0 || uid === process.getuid?.();
    if (!isOwn || (mode & 0o022) !== 0) throw untrusted(path);
    // Written by the command, as a whole.
    return JSON.parse(readFileSync(descriptor, 'utf8')) as SuccessorProgram;
  } finally {
    closeSync(descriptor);
    rmSync(path, { force: true });
  }
}

function untrusted(path: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'GATEWAY_UPGRADE_FAILED',
    `${path} names the program to start: expected a file that only this user or root can write`,
    { cause },
  );
}

function ownProgram(): SuccessorProgram {
  const [, file] = process.argv;
  const args = isSea() || file === undefined ? [] : [...process.execArgv, file];
  return { executable: process.execPath, args };
}

function requestPath(home: string): string {
  return join(home, 'logs', 'apisix-upgrade.json');
}
