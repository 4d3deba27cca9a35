import { readFileSync } from 'node:fs';

/**
 * Tells a process from a later one that has got the same id: the boot of the machine, and the tick of its start.
 * @returns undefined where the system does not tell (it has no /proc), or there is no such process.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const facts = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // "<pid> (<name>) <state> …" of proc_pid_stat(5); the name may hold anything. The start is the 22nd fact.
    const start = facts.slice(facts.lastIndexOf(')') + 2).split(' ')[19];
    return `${boot} ${start}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
