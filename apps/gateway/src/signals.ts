import type { GatewayProcess } from './gateway-process.ts';

/**
 * TERM and INT stop at once, QUIT lets sessions finish, HUP reads the configuration again. A further TERM, INT or QUIT
 * ends the process without waiting for anything.
 */
export function handleSignals(gateway: GatewayProcess, source: NodeJS.Process): void {
  let isEnding = false;
  const end = (work: () => Promise<void>): void => {
    if (isEnding) source.exit(1);
    isEnding = true;
    // What fails here is a defect: it ends the process with its trace.
    void work().then(() => source.exit(0));
  };
  source.on('SIGTERM', () => end(() => gateway.stop()));
  source.on('SIGINT', () => end(() => gateway.stop()));
  source.on('SIGQUIT', () => end(() => gateway.quit()));
  source.on('SIGHUP', () => void gateway.reload());
}
