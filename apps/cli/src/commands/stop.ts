import type { Command, CommandContext } from '../command.ts';
import { endGateway } from '../end-gateway.ts';
import { findHome } from '../home.ts';

const STOP_TIMEOUT_MS = 30_000;

export const stop: Command = {
  name: 'stop',
  summary: 'end the gateway at once, with its connections',
  options: [],
  async run(context, options) {
    await stopGateway(context, findHome(options.home, context.env, context.cwd).path);
    return 0;
  },
};

/** @throws GatewayError as `endGateway` does. */
export function stopGateway(context: CommandContext, home: string): Promise<void> {
  const waitingText = 'waiting for the gateway to end';
  return endGateway(context, { home, signal: 'SIGTERM', timeoutMs: STOP_TIMEOUT_MS, waitingText });
}
