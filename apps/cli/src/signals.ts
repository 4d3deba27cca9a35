import { readFileSync } from 'node:fs';

/** Signals to and from other processes. */
export interface Signals {
  /**
   * Sends a signal; 0 only asks whether the process is there.
   * @param pid greater than 0, so that it is one process and never a group.
   */
  send(pid: number, signal: GatewaySignal | 0): Delivery;
  /**
   * Calls back in place of ending this process when it is interrupted or terminated.
   * @returns takes that back; idempotent.
   */
  onInterrupt(listener: () => void): () => void;
}

/** TERM stops at once, QUIT lets sessions finish, HUP reads config.yaml again, USR2 starts another gateway in its place, KILL is the last resort. */
export type GatewaySignal = 'SIGTERM' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR2' | 'SIGKILL';

export type Delivery =
  | 'sent'
  /** There is no such process. */
  | 'gone'
  /** It is not ours to signal. */
  | 'denied';

const LARGEST_PID = 2 ** 31 - 1;

export const processSignals: Signals = {
  send(pid, signal) {
    if (!Number.isInteger(pid) || pid <= 0) throw new TypeError(`expected the id of a process, found ${pid}`);
    // A container that is started again hands out the same ids, so a file left by the former one may name ourselves.
    if (pid > LARGEST_PID || pid === process.pid || isZombie(pid)) return 'gone';
    try {
      process.kill(pid, signal);
      return 'sent';
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ESRCH') return 'gone';
      if (code === 'EPERM') return 'denied';
      throw error;
    }
  },
  onInterrupt(listener) {
    process.on('SIGINT', listener).on('SIGTERM', listener);
    return () => void process.off('SIGINT', listener).off('SIGTERM', listener);
  },
};

/** Has it ended, and only waits for its parent to notice? Some first processes of containers never do. */
function isZombie(pid: number): boolean {
  try {
    // "<pid> (<name>) <state> …" of proc_pid_stat(5); the name may hold anything.
    return /^.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false; // No /proc, or no such process, which `kill` tells.
  }
}
