import { assemble } from './assemble.ts';
import type { Source } from '../source/problem.ts';
import type { DeploymentSettings, Settings } from './settings.ts';
import type { Environment } from '../source/substitute.ts';

/** config.yaml as an object: any part of it. As in the file, null removes a default, and an empty map replaces a default map. */
export type SettingsInput = Part<Omit<Settings, 'deployment'>> & {
  readonly deployment?: Part<Omit<DeploymentSettings, 'config_provider' | 'rules'>> | null;
};

/** Lists are given whole, maps in part. */
type Part<T> = T extends readonly unknown[] | string | number | boolean
  ? T
  : { readonly [Key in keyof T]?: Part<T[Key]> | null };

export interface SettingsFromOptions {
  /** Where `APISIX_DEPLOYMENT_ETCD_HOST` and `APISIX_WORKER_PROCESSES` are looked up; default: nowhere. */
  readonly env?: Environment;
}

/**
 * Settings for a gateway inside another program: the same defaults, rules and messages as for a file. Text is taken as
 * it is, `${{NAME}}` included.
 * @throws GatewayError `SETTINGS_INVALID`, `SETTINGS_UNSUPPORTED`, `SETTINGS_PORT_CONFLICT`.
 */
export function settingsFrom(input: SettingsInput, options: SettingsFromOptions = {}): Settings {
  const source: Source = {
    name: 'settings',
    tree: { ...input },
    locate: () => undefined,
    variablesOf: () => [],
  };
  return assemble(source, options.env ?? {}).settings;
}
