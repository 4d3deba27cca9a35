import { findResourceProblems, problemsError, readResourceFile, resourceFilePath } from '@apisix-ts/config';
import type { ResourceFile, Settings } from '@apisix-ts/config';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import type { CommandContext } from './command.ts';
import type { Home } from './home.ts';

/**
 * Reads apisix.yaml or apisix.json as the gateway will, with the environment of this command, if the settings say that
 * resources come from there.
 * @throws GatewayError as `readResourceFile` does: the gateway would not start.
 */
export function readResources(
  { env }: CommandContext,
  { path: home }: Home,
  { deployment }: Settings,
): ResourceFile | undefined {
  if (deployment.rules !== 'file') return undefined;
  const format = deployment.config_provider === 'json' ? 'json' : 'yaml';
  try {
    return readResourceFile({ path: resourceFilePath(home, format, env), format, env });
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    throw new GatewayError(error.code, `failed to read the resources of apisix: ${error.message}`, {
      cause: error,
      detail: error.detail,
    });
  }
}

/**
 * The same, and checks each resource and what it names.
 * @returns what is legal but surely not meant, a sentence each.
 * @throws GatewayError `RESOURCE_INVALID` with all that is wrong, and as `readResources` does.
 */
export async function checkResources(
  context: CommandContext,
  home: Home,
  settings: Settings,
): Promise<readonly string[]> {
  const file = readResources(context, home, settings);
  if (file === undefined) return [];
  // The data plane knows the balancers and plugins; only this command asks it.
  const { checkContextOf, keyringOf } = await import('@apisix-ts/runtime');
  const [first, ...others] = findResourceProblems(file, {
    context: checkContextOf(settings),
    keyring: keyringOf(settings),
  });
  if (first !== undefined) throw problemsError([first, ...others], file.source);
  return file.warnings;
}
