import { readFileSync, statSync } from 'node:fs';

/**
 * The process that holds a lock on the file, as Linux lists it in /proc/locks (proc_locks(5)); `undefined` on other
 * systems, and when the holder is in a container that hides it.
 */
export function findLockHolder(path: string): number | undefined {
  let locks: string;
  let inode: number;
  try {
    locks = readFileSync('/proc/locks', 'utf8');
    inode = statSync(path).ino;
  } catch {
    // It only makes a message more helpful.
    return undefined;
  }
  // 1: POSIX  ADVISORY  WRITE 7590 fe:00:2146602 1073741824 1073742335
  for (const line of locks.split('\n')) {
    const [, , , , pid, file] = line.split(/\s+/);
    if (file?.endsWith(`:${inode}`) === true && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}
