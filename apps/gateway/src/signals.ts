import type { GatewayProcess } from './gateway-process.ts';

/**
 * A Ctrl-C reaches the process several times at once: from the terminal, and from each program around it that passes
 * signals on. What follows within this time is the same wish. Milliseconds.
 */
const SAME_WISH_MS = 500;

/**
 * TERM and INT stop at once, QUIT lets sessions finish, HUP reads the configuration again. A further TERM, INT or QUIT
 * ends the process without waiting for anything.
 */
export function handleSignals(gateway: GatewayProcess, source: NodeJS.Process): void {
  let endingSince: number | undefined;
  const end = (work: () => Promise<void>): void => {
    if (endingSince !== undefined) {
      if (performance.now() - endingSince > SAME_WISH_MS) source.exit(1);
      return;
    }
    endingSince = performance.now();
    // What fails here is a defect: it ends the process with its trace.
    void work().then(() => source.exit(0));
  };
  source.on('SIGTERM', () => end(() => gateway.stop()));
  source.on('SIGINT', () => end(() => gateway.stop()));
  source.on('SIGQUIT', () => end(() => gateway.quit()));
  source.on('SIGHUP', () => void gateway.reload());
}
