import type { GatewayProcess } from './gateway-process.ts';

/**
 * A Ctrl-C reaches the process several times at once: from the terminal, and from each program around it that passes
 * signals on. What follows within this time is the same wish. Milliseconds.
 */
const SAME_WISH_MS = 500;

/** How far the process is on its way out; a signal only ever takes it further. */
const WAYS_OUT = ['quit', 'stop', 'exit'] as const;

/**
 * TERM and INT stop at once, QUIT lets sessions finish, HUP reads the configuration again, USR1 opens
 * the log files again, USR2 starts another process in the place of this one, which quits then. A TERM or INT during a quit
 * stops; a further one ends the process without waiting for anything.
 */
export function handleSignals(gateway: GatewayProcess, source: NodeJS.Process): void {
  let progress = -1;
  let since = 0;
  const end = (wanted: 'quit' | 'stop'): void => {
    const isSameWish = progress >= 0 && performance.now() - since <= SAME_WISH_MS;
    const next = Math.max(WAYS_OUT.indexOf(wanted), isSameWish ? progress : progress + 1);
    if (next === progress) return;
    progress = next;
    since = performance.now();
    const way = WAYS_OUT[next];
    if (way === 'quit' || way === 'stop') {
      // What fails here is a defect: it ends the process with its trace.
      void gateway[way]().then(() => source.exit(0));
    } else {
      source.exit(1);
    }
  };
  source.on('SIGTERM', () => end('stop'));
  source.on('SIGINT', () => end('stop'));
  source.on('SIGQUIT', () => end('quit'));
  source.on('SIGUSR1', () => gateway.reopenLogs());
  source.on('SIGHUP', () => void gateway.reload());
  source.on('SIGUSR2', () => {
    void gateway.upgrade().then((isOver) => {
      if (isOver) end('quit');
    });
  });
}
