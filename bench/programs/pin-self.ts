import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

/** Keeps this program on one CPU, with all its threads. @returns lets it run on any again. */
export function pinSelf(cpu: number): () => void {
  const pin = (list: string): void => {
    const options = ['--all-tasks', '--cpu-list', '--pid', list, String(process.pid)];
    execFileSync('taskset', options, { stdio: 'ignore' });
  };
  pin(String(cpu));
  return () => pin(`0-${cpus().length - 1}`);
}
