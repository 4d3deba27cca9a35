import { readSettings } from '@apisix-ts/config';
import type { LoadedSettings } from '@apisix-ts/config';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import type { CommandContext } from './command.ts';
import type { Home } from './home.ts';

/**
 * Reads and checks config.yaml as the gateway will, with the environment of this command.
 * @param file absolute path of another one.
 * @throws GatewayError as `readSettings` does, in the words of the reference.
 */
export function checkSettings({ env }: CommandContext, home: Home, file?: string): LoadedSettings {
  try {
    return readSettings({ home: home.path, env, ...(file !== undefined && { file }) });
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    const isMissing = error.code === 'SETTINGS_FILE_UNREADABLE' && file === undefined;
    throw new GatewayError(
      error.code,
      `failed to read local yaml config of apisix: ${error.message}${isMissing ? `; HOME is ${home.reason}` : ''}`,
      { cause: error, detail: error.detail },
    );
  }
}

const FEW_FILES = 1024;

/** Tells what is legal here but will hurt in production. */
export function warnAboutMachine({ stdout }: CommandContext, { path }: Home): void {
  if (path === '/root' || path.startsWith('/root/')) {
    stdout.write(
      'Warning! Running apisix under /root is only suitable for development environments; use another folder elsewhere.\n',
    );
  }
  const limit = openFileLimit();
  if (limit <= FEW_FILES) {
    stdout.write(
      `Warning! Current maximum number of open file descriptors [${limit}] is not greater than ${FEW_FILES}, please ` +
        "increase user limits by execute 'ulimit -n <new user limits>' , otherwise the performance is low.\n",
    );
  }
}

export function printWarnings(
  { stdout }: CommandContext,
  { warnings }: Pick<LoadedSettings, 'warnings'>,
): void {
  for (const warning of warnings) stdout.write(`${warning}\n`);
}

/** Of this process and those it starts, after Node raised the soft limit to the hard one. */
function openFileLimit(): number {
  const report: unknown = process.report.getReport();
  const soft = ['userLimits', 'open_files', 'soft'].reduce(memberOf, report);
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
