import { readFileSync, readdirSync } from 'node:fs';

/** The unit of /proc/PID/stat: USER_HZ is 100 on every Linux that Node has a build for. */
const TICK_MS = 10;

/**
 * User and system time of a process so far: all its threads, its children that have ended, and its living descendants.
 * Milliseconds, in steps of 10.
 */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold anything: fields are counted from its end. utime, stime, cutime, cstime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks * TICK_MS + childrenOf(pid).reduce((sum, child) => sum + cpuMs(child), 0);
}

/** What of the process is in memory now. MB of 10^6 bytes. */
export function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  });
}
