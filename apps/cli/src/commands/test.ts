import type { Command, CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import type { Home } from '../home.ts';
import { checkResources } from '../resource-check.ts';
import { checkSettings, printWarnings, warnAboutMachine } from '../settings-check.ts';

export const test: Command = {
  name: 'test',
  summary: 'check config.yaml, and apisix.yaml where that is read; a running gateway is left alone',
  options: [],
  async run(context, options) {
    await testConfiguration(context, findHome(options.home, context.env, context.cwd));
    return 0;
  },
};

/**
 * Says how the check went.
 * @param file absolute path of another file than `conf/config.yaml`.
 * @throws GatewayError `SETTINGS_*`, `RESOURCE_INVALID`.
 */
export async function testConfiguration(context: CommandContext, home: Home, file?: string): Promise<void> {
  warnAboutMachine(context, home);
  try {
    const { settings, warnings } = checkSettings(context, home, file);
    printWarnings(context, { warnings: [...warnings, ...(await checkResources(context, home, settings))] });
  } catch (error) {
    context.stderr.write('configuration test failed\n');
    throw error;
  }
  context.stdout.write('configuration test is successful\n');
}
