import { valueAt } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';
import type { Environment } from '../source/substitute.ts';
import type { ConfigProvider, Role, RuleSource, Settings } from './settings.ts';

const roles: readonly Role[] = ['traditional', 'control_plane', 'data_plane'];

/** The role in a tree of settings; one that does not exist is reported elsewhere and counts as traditional. */
export function roleOf(tree: unknown): Role {
  const written = valueAt(tree, ['deployment', 'role']);
  return roles.find((role) => role === written) ?? 'traditional';
}

/** What the role, its provider and `enable_admin` come to. */
export interface DeploymentForm {
  readonly provider: ConfigProvider;
  readonly rules: RuleSource;
  readonly enableAdmin: boolean;
}

/** @param isEtcdNamed by the operator, in the file or the environment. */
export function deploymentForm({ apisix, deployment }: Settings, isEtcdNamed: boolean): DeploymentForm {
  const { role } = deployment;
  // Who names etcd wants etcd; otherwise the store that needs nothing installed.
  const provider = deployment[`role_${role}`]?.config_provider ?? (isEtcdNamed ? 'etcd' : 'embedded');
  const enableAdmin = role === 'control_plane' || (role === 'traditional' && apisix.enable_admin);
  if (provider === 'etcd' || provider === 'embedded') return { provider, rules: 'store', enableAdmin };
  return { provider, rules: enableAdmin ? 'api' : 'file', enableAdmin };
}

/** `APISIX_STAND_ALONE=true`, as set in containers, wants resources that are in no store. */
export function checkStandAlone(
  role: Role,
  { provider, rules }: DeploymentForm,
  env: Environment,
): readonly Problem[] {
  if (env['APISIX_STAND_ALONE'] !== 'true' || rules !== 'store') return [];
  const text = `APISIX_STAND_ALONE is set to 'true' but config_provider is '${provider}'. Current role: ${role}`;
  return [
    {
      code: 'SETTINGS_INVALID',
      text,
      path: ['deployment', `role_${role}`, 'config_provider'],
      expected: 'yaml, or json with the role data_plane; or unset APISIX_STAND_ALONE',
    },
  ];
}
