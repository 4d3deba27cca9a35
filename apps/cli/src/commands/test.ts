import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import type { Home } from '../home.ts';
import { checkResources } from '../resource-check.ts';
import { checkSettings, printWarnings, warnAboutMachine } from '../settings-check.ts';

export const test: Command = {
  name: 'test',
  summary: 'check config.yaml, and apisix.yaml where that is read; a running gateway is left alone',
  options: ['json'],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    if (options.json) return testForPrograms(context, home);
    await testConfiguration(context, home);
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

/** The same as one line of JSON. @returns the exit status. */
async function testForPrograms(context: CommandContext, home: Home): Promise<number> {
  const report = (outcome: object): void => void context.stdout.write(`${JSON.stringify(outcome)}\n`);
  try {
    const { settings, warnings } = checkSettings(context, home);
    report({ ok: true, warnings: [...warnings, ...(await checkResources(context, home, settings))] });
    return 0;
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    report({ ok: false, code: error.code, message: error.message, problems: problemsIn(error) });
    return 1;
  }
}

/** One by one, where they are known: each with `code`, `text` and `path`. */
function problemsIn({ detail, cause }: GatewayError): readonly unknown[] {
  const found = detail['problems'] ?? (isGatewayError(cause) ? cause.detail['problems'] : undefined);
  return Array.isArray(found) ? found : [];
}
