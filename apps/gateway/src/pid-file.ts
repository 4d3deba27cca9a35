import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the process id is kept: the reference's place, which scripts know. */
export function pidFilePath(home: string): string {
  return join(home, 'logs', 'nginx.pid');
}

export function writePidFile(home: string): void {
  writeFileSync(pidFilePath(home), `${process.pid}\n`);
}

/** Removes the file unless another process has put its own id there since. */
export function removePidFile(home: string): void {
  try {
    if (Number(readFileSync(pidFilePath(home), 'utf8')) === process.pid) rmSync(pidFilePath(home));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
