import { parseDurationMs } from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';
import { endGateway } from '../end-gateway.ts';
import { findHome } from '../home.ts';
import type { Home } from '../home.ts';
import { readRecord } from '../run-record.ts';
import { requireRunning } from '../running-gateway.ts';
import { checkSettings } from '../settings-check.ts';

/** That of `worker_shutdown_timeout` when nobody sets it. */
const DEFAULT_SESSIONS_MS = 240_000;
/** What the gateway may take beyond the time its sessions have. */
const MARGIN_MS = 10_000;

export const quit: Command = {
  name: 'quit',
  summary: 'end the gateway when its connections have ended, or after nginx_config.worker_shutdown_timeout',
  options: [],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    const record = readRecord(home.path, requireRunning(home.path, context.signals));
    const sessionsMs = sessionTimeoutMs(context, home, record?.config);
    await endGateway(context, {
      home: home.path,
      signal: 'SIGQUIT',
      timeoutMs: sessionsMs === 0 ? 0 : sessionsMs + MARGIN_MS,
      waitingText: 'waiting for connections to end',
    });
    return 0;
  },
};

/** How long the sessions have. A file that was broken since must not keep anyone from ending the gateway. */
function sessionTimeoutMs(context: CommandContext, home: Home, file: string | undefined): number {
  try {
    const { settings } = checkSettings(context, home, file);
    return parseDurationMs(settings.nginx_config.worker_shutdown_timeout);
  } catch (error) {
    if (isGatewayError(error)) return DEFAULT_SESSIONS_MS;
    throw error;
  }
}
