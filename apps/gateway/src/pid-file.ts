import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the process id is kept: the reference's place, which scripts know. */
export function pidFilePath(home: string): string {
  return join(home, 'logs', 'nginx.pid');
}

/** Replaces the file as a whole: a reader finds the former process or this one. */
export function writePidFile(home: string): void {
  const path = pidFilePath(home);
  writeFileSync(`${path}.new`, `${process.pid}\n`);
  renameSync(`${path}.new`, path);
}

/** Removes the file unless another process has put its own id there since. */
export function removePidFile(home: string): void {
  try {
    if (Number(readFileSync(pidFilePath(home), 'utf8')) === process.pid) rmSync(pidFilePath(home));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
