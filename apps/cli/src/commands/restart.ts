import { isGatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import { readRecord } from '../run-record.ts';
import { requireRunning } from '../running-gateway.ts';
import { customConfig, startGateway } from './start.ts';
import { stopGateway } from './stop.ts';
import { testConfiguration } from './test.ts';

export const restart: Command = {
  name: 'restart',
  summary: 'check as test does, then stop the gateway if one runs, then start it with the same file',
  options: ['config', 'foreground', 'verbose'],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    const pid = findRunning(context, home.path);
    const remembered = pid === undefined ? undefined : readRecord(home.path, pid);
    const config = customConfig(context, options.config) ?? remembered?.config;

    await testConfiguration(context, home, config);
    if (pid !== undefined) await stopGateway(context, home.path);
    return startGateway(context, home, { ...options, config });
  },
};

function findRunning({ signals }: CommandContext, home: string): number | undefined {
  try {
    return requireRunning(home, signals);
  } catch (error) {
    if (isGatewayError(error, 'GATEWAY_NOT_RUNNING')) return undefined;
    throw error;
  }
}
