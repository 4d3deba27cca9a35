import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { GatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';
import { prepareEtcd } from '../etcd-layout.ts';
import { findHome, makeFolders } from '../home.ts';
import type { Home } from '../home.ts';
import { becomeGateway, launchDaemon } from '../launch.ts';
import type { Options } from '../options.ts';
import { findProcess, pidFilePath, readPid, signalDenied } from '../running-gateway.ts';
import { readResources } from '../resource-check.ts';
import { checkSettings, printWarnings, warnAboutMachine } from '../settings-check.ts';
import { waitFor } from '../waiting.ts';

export const start: Command = {
  name: 'start',
  summary: 'start the gateway; returns when it serves',
  options: ['config', 'foreground', 'verbose'],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    const config = customConfig(context, options.config);
    return startGateway(context, home, { ...options, config });
  },
};

/**
 * The file that `-c` names.
 * @returns its absolute path.
 * @throws GatewayError `SETTINGS_FILE_UNREADABLE`.
 */
export function customConfig({ cwd, stdout }: CommandContext, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const path = resolve(cwd, file);
  if (!existsSync(path)) {
    throw new GatewayError('SETTINGS_FILE_UNREADABLE', `customized config file not exists, path: ${path}`);
  }
  stdout.write(`Use customized yaml: ${file}\n`);
  return path;
}

/**
 * Checks, prepares, and starts; in the foreground this process becomes the gateway and the call never returns.
 * @returns the exit status.
 * @throws GatewayError why there is no gateway that serves.
 */
export async function startGateway(
  context: CommandContext,
  home: Home,
  { config, foreground, verbose }: Pick<Options, 'config' | 'foreground' | 'verbose'>,
): Promise<number> {
  makeFolders(home);
  await refuseSecond(context, home.path);
  warnAboutMachine(context, home);
  const loaded = checkSettings(context, home, config);
  readResources(context, home, loaded.settings);
  // In the foreground the gateway prints its warnings itself.
  if (!foreground) printWarnings(context, loaded);
  if (verbose) context.stdout.write(`HOME: ${home.path}, ${home.reason}\nconfig: ${loaded.file}\n`);
  if (!(await prepareEtcd(context, loaded.settings))) return 1;
  if (foreground) becomeGateway(context, { home: home.path, config });
  await launchDaemon(context, { home: home.path, config });
  return 0;
}

/** One that is just about to end gets this long. */
const OLD_GATEWAY_TIMEOUT_MS = 3_000;

async function refuseSecond({ signals, clock, stdout }: CommandContext, home: string): Promise<void> {
  const path = pidFilePath(home);
  const pid = readPid(home);
  if (pid === undefined) return;

  const look = (): 'gone' | 'denied' | undefined => {
    const delivery = findProcess(home, pid, signals);
    return delivery === 'sent' ? undefined : delivery;
  };
  const outcome = await waitFor(look, { clock, timeoutMs: OLD_GATEWAY_TIMEOUT_MS });
  if (outcome === undefined) {
    throw new GatewayError(
      'GATEWAY_RUNNING',
      `the old APISIX is still running, the new one will not start: ${path} names process ${pid}`,
    );
  }
  if (outcome === 'denied') throw signalDenied(pid, path);
  // One that ended in order took its file along.
  if (readPid(home) === pid) {
    stdout.write(
      `nginx.pid exists but there's no corresponding process with pid ${pid}, the file will be overwritten\n`,
    );
  }
}
