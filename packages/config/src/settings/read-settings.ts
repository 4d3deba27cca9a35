import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { GatewayError } from '@apisix-ts/errors';
import { confFile } from '../source/conf-file.ts';
import { assemble } from './assemble.ts';
import type { Settings } from './settings.ts';
import type { Environment } from '../source/substitute.ts';
import { readYaml } from '../source/yaml-source.ts';

export interface ReadSettingsOptions {
  /** The installation: the file is its `conf/config.yaml`, or `conf/config-p.yaml` when `APISIX_PROFILE` is `p`. */
  readonly home: string;
  /** Another file instead, relative to the working directory. */
  readonly file?: string;
  /** For `${{NAME}}` and the variables that APISIX knows. */
  readonly env: Environment;
}

export interface LoadedSettings {
  /** Frozen all the way down. */
  readonly settings: Settings;
  /** The absolute path of the file that was read. */
  readonly file: string;
  /** Things an operator should know at start, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads config.yaml. Nothing is kept between calls, so a key that was removed from the file has its default again.
 *
 * A message tells all problems that were found, a line for each: `<file>:<line>:<column>: <APISIX's text> (<key path>:
 * expected …, found …)`.
 * @throws GatewayError `SETTINGS_FILE_UNREADABLE`, `SETTINGS_SYNTAX`, `SETTINGS_VARIABLE_MISSING`, `SETTINGS_INVALID`,
 * `SETTINGS_UNSUPPORTED`, `SETTINGS_PORT_CONFLICT`.
 */
export function readSettings({ home, file, env }: ReadSettingsOptions): LoadedSettings {
  const path = file === undefined ? confFile(home, 'config', 'yaml', env) : resolve(file);
  const source = readYaml(readText(path), path, env);
  const { settings, warnings } = assemble(source, env, home);
  return {
    settings,
    file: path,
    warnings: [...source.warnings, ...warnings, ...warnAboutUnreadRules(settings, home, env)],
  };
}

/** Who has both the Admin API and a file of resources may expect the file to count. */
function warnAboutUnreadRules({ deployment }: Settings, home: string, env: Environment): readonly string[] {
  const path = confFile(home, 'apisix', 'yaml', env);
  if (deployment.rules !== 'api' || !existsSync(path)) return [];
  return [
    `${path} is not read: with config_provider yaml and the Admin API on, resources come through PUT ` +
      '/apisix/admin/configs; set apisix.enable_admin to false to read the file',
  ];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('SETTINGS_FILE_UNREADABLE', `failed to open file: ${path}, error info:${why}`, {
      cause,
    });
  }
}
