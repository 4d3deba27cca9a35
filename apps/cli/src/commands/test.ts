import type { Command, CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import type { Home } from '../home.ts';
import { checkSettings, printWarnings, warnAboutMachine } from '../settings-check.ts';

export const test: Command = {
  name: 'test',
  summary: 'check config.yaml; a running gateway is left alone',
  options: [],
  async run(context, options) {
    testSettings(context, findHome(options.home, context.env, context.cwd));
    return 0;
  },
};

/**
 * Says how the check went.
 * @param file absolute path of another file than `conf/config.yaml`.
 * @throws GatewayError `SETTINGS_*`.
 */
export function testSettings(context: CommandContext, home: Home, file?: string): void {
  warnAboutMachine(context, home);
  try {
    printWarnings(context, checkSettings(context, home, file));
  } catch (error) {
    context.stderr.write('configuration test failed\n');
    throw error;
  }
  context.stdout.write('configuration test is successful\n');
}
