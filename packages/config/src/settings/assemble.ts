import { checkAdminKey } from './admin-key.ts';
import { checkSchema } from './check-schema.ts';
import { checkSettings } from './checks.ts';
import { defaults } from './defaults.ts';
import { derive } from './derive.ts';
import { warnAboutIgnored } from './ignored.ts';
import { warnAboutKeyring } from './keyring.ts';
import { showPath } from '../source/key-path.ts';
import { readHttpListeners, readHttpsListeners } from './listeners.ts';
import { merge } from './merge.ts';
import { refuseAny, showPlace } from '../source/problem.ts';
import type { Problem, Source } from '../source/problem.ts';
import type { Settings } from './settings.ts';
import type { Environment } from '../source/substitute.ts';
import { findUnsupported } from './unsupported.ts';

export interface Assembled {
  /** Frozen all the way down. */
  readonly settings: Settings;
  /** Things an operator should know at start, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Settings from what an operator wrote: merged over fresh defaults, checked, completed. Each step looks only at what
 * the one before it let pass, and tells of everything it finds.
 * @param home the installation, to which paths are relative. Default: files that settings name are not looked at.
 * @throws GatewayError `SETTINGS_INVALID`, `SETTINGS_UNSUPPORTED`, `SETTINGS_PORT_CONFLICT`.
 */
export function assemble(source: Source, env: Environment, home?: string): Assembled {
  const mergeProblems: Problem[] = [];
  const merged = merge(defaults, source.tree, mergeProblems);
  const checked = checkSchema(merged);
  refuseAny([...mergeProblems, ...checked.problems], source);
  refuseAny(findUnsupported(checked.value), source);

  const derived = derive(checked.value, source.tree, env);
  const { settings } = derived;
  const adminKey = checkAdminKey(settings);
  refuseAny([...derived.problems, ...adminKey.problems, ...checkSettings(settings, home)], source);

  return {
    settings: freeze(settings),
    warnings: [
      ...derived.warnings,
      ...adminKey.warnings,
      ...warnAboutKeyring(settings),
      ...warnAboutIgnored(checked.value),
      ...warnAboutListeners(settings, source),
    ],
  };
}

function warnAboutListeners({ apisix }: Settings, source: Source): readonly string[] {
  const paths = [...readHttpListeners(apisix).ignored, ...readHttpsListeners(apisix).ignored];
  return paths.map(
    (path) =>
      `${showPlace(source, source.locate(path))}${showPath(path)} is neither a port nor {ip, port} and is ignored`,
  );
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
