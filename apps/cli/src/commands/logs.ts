import { resolve } from 'node:path';
import type { Settings } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import { LogTail } from '../log-tail.ts';
import { recordedConfig } from '../run-record.ts';
import { checkSettings } from '../settings-check.ts';

const LINES = 10;
const MOST_LINES = 100_000;
/** How often a log that is followed is looked at. Milliseconds. */
const LOOK_MS = 250;

export const logs: Command = {
  name: 'logs',
  summary: 'show the end of the error log, or of the access log of sessions',
  options: ['follow', 'lines', 'access'],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    const config = recordedConfig(home.path);
    const { settings } = checkSettings(context, home, config);
    const path = logPath(settings, home.path, options.access);
    await showLog(context, path, readLines(options.lines), options.follow);
    return 0;
  },
};

function logPath({ nginx_config: config }: Settings, home: string, isAccess: boolean): string {
  if (!isAccess) return resolve(home, config.error_log);
  if (config.stream.enable_access_log) return resolve(home, config.stream.access_log);
  throw unreadable('sessions leave no lines: nginx_config.stream.enable_access_log is false');
}

function readLines(text: string | undefined): number {
  if (text === undefined) return LINES;
  const lines = /^\d{1,6}$/.test(text) ? Number(text) : Infinity;
  if (lines <= MOST_LINES) return lines;
  throw unreadable(`expected --lines from 0 to ${MOST_LINES}, found ${text}`);
}

async function showLog(
  context: CommandContext,
  path: string,
  lines: number,
  isFollowed: boolean,
): Promise<void> {
  const { stdout, stderr } = context;
  const tail = new LogTail(path, (text) => stdout.write(text));
  try {
    const isThere = tail.begin(lines);
    if (!isFollowed && !isThere) throw unreadable(`there is no ${path}: no gateway has written one yet`);
    if (!isThere) stderr.write(`waiting for ${path}\n`);
    if (isFollowed) await follow(context, tail);
  } catch (error) {
    if (error instanceof Error && 'errno' in error) throw unreadable(error.message, error);
    throw error;
  } finally {
    tail.close();
  }
}

/** Until it is interrupted. Polling, because not all file systems tell of changes. */
async function follow({ clock, signals }: CommandContext, tail: LogTail): Promise<void> {
  const { promise, resolve: end, reject } = Promise.withResolvers<void>();
  let cancel = (): void => {};
  const look = (): void => {
    try {
      tail.look();
      cancel = clock.after(LOOK_MS, look);
    } catch (error) {
      reject(error);
    }
  };
  const release = signals.onInterrupt(end);
  look();
  try {
    await promise;
  } finally {
    cancel();
    release();
  }
}

function unreadable(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('LOG_UNREADABLE', `the log cannot be shown: ${reason}`, { cause });
}
