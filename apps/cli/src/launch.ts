import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@apisix-ts/config';
import { GatewayError, isErrorCode } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import type { CommandContext } from './command.ts';
import { GATEWAY_NAME } from './gateway-program.ts';
import { waitingNotice } from './progress.ts';
import { logTail, openStartLog } from './start-log.ts';
import type { StartLog } from './start-log.ts';

export interface LaunchOptions {
  /** Absolute path of the installation. */
  readonly home: string;
  /** Absolute path of another file than `conf/config.yaml`. */
  readonly config: string | undefined;
}

const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 5_000;

/**
 * Starts a gateway that outlives this process, and waits until it serves. One that does not get there is ended.
 * @throws GatewayError what the gateway says, else `GATEWAY_START_FAILED`, `GATEWAY_UNRESPONSIVE`; `HOME_UNUSABLE`.
 */
export async function launchDaemon(context: CommandContext, options: LaunchOptions): Promise<void> {
  const { gateway, cwd, env, clock } = context;
  const log = openStartLog(join(options.home, 'logs', 'error.log'));
  const child = spawn(gateway.executable, [...gateway.args, ...programArguments(options)], {
    argv0: GATEWAY_NAME,
    cwd,
    env,
    detached: true,
    stdio: ['ignore', log.descriptor, log.descriptor, 'ipc'],
  });
  closeSync(log.descriptor);

  const report = await firstReport(child, context, log.path);
  if (report.type === 'ready') {
    // The gateway may have hung up first.
    if (child.connected) child.disconnect();
    child.unref();
    return;
  }
  await end(child, clock);
  throw startError(report, log);
}

/** Becomes the gateway: the same process, so that signals and the exit status are the gateway's own. */
export function becomeGateway({ gateway, env }: CommandContext, options: LaunchOptions): never {
  if (process.execve === undefined) throw new TypeError('expected a Node that has process.execve');
  const args = [GATEWAY_NAME, ...gateway.args, ...programArguments(options)];
  return process.execve(gateway.executable, args, definedOnly(env));
}

function programArguments({ home, config }: LaunchOptions): readonly string[] {
  return ['--home', home, ...(config === undefined ? [] : ['--config', config])];
}

function definedOnly(env: CommandContext['env']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

/** How a start went: what the gateway says over the channel, or what is seen of it. */
type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'ended'; readonly how: string }
  | { readonly type: 'silent' }
  | { readonly type: 'interrupted' };

async function firstReport(child: ChildProcess, context: CommandContext, logPath: string): Promise<Report> {
  const { promise, resolve } = Promise.withResolvers<Report>();
  const { clock, signals } = context;
  child.on('error', (error) => resolve({ type: 'ended', how: `could not be run (${error.message})` }));
  child.on('message', (message) => {
    const report = readMessage(message);
    if (report !== undefined) resolve(report);
  });
  // Its last message may still be in the channel when the process is gone, so both ends have to be seen.
  let exit: string | undefined;
  let hasHungUp = false;
  const tellEnd = (): void => {
    if (exit !== undefined && hasHungUp) resolve({ type: 'ended', how: exit });
  };
  child.on('exit', (status, signal) => {
    exit = signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
    tellEnd();
  });
  child.on('disconnect', () => {
    hasHungUp = true;
    tellEnd();
  });
  const releases = [
    clock.after(START_TIMEOUT_MS, () => resolve({ type: 'silent' })),
    signals.onInterrupt(() => resolve({ type: 'interrupted' })),
    waitingNotice(context, `waiting for the gateway, which logs to ${logPath}`),
  ];
  try {
    return await promise;
  } finally {
    for (const release of releases) release();
  }
}

function readMessage(message: unknown): Report | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
  if (message.type === 'ready') return { type: 'ready' };
  if (message.type !== 'failed' || !('code' in message) || !('message' in message)) return undefined;
  const code = isErrorCode(message.code) ? message.code : 'GATEWAY_START_FAILED';
  return { type: 'failed', code, message: String(message.message) };
}

/** Leaves no half-started gateway behind. */
async function end(child: ChildProcess, clock: Clock): Promise<void> {
  const isRunning = (): boolean =>
    child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (!isRunning()) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const release = clock.after(END_TIMEOUT_MS, () => child.kill('SIGKILL'));
  await exited;
  release();
}

function startError(report: Exclude<Report, { type: 'ready' }>, log: StartLog): GatewayError {
  if (report.type === 'failed') return new GatewayError(report.code, report.message);
  if (report.type === 'ended') {
    return new GatewayError(
      'GATEWAY_START_FAILED',
      `the gateway ${report.how} before it served${logTail(log)}`,
    );
  }
  if (report.type === 'interrupted') {
    return new GatewayError('GATEWAY_START_FAILED', 'the start was interrupted, and the gateway ended');
  }
  return new GatewayError(
    'GATEWAY_UNRESPONSIVE',
    `the gateway did not serve within ${START_TIMEOUT_MS / 1000} s and was ended${logTail(log)}`,
  );
}
