import { isMap, valueAt } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';
import type { Environment } from '../source/substitute.ts';
import { defaults, statusAddress, whenAbsent } from './defaults.ts';
import { checkStandAlone, deploymentForm } from './deployment.ts';
import type { Settings } from './settings.ts';

type Tree = Readonly<Record<string, unknown>>;

export interface Derived {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/**
 * Turns checked settings into those in effect: absent keys get their meaning, the environment has its say, and what
 * follows from other keys is set.
 * @param checked passed the schema, and holds nothing unsupported.
 * @param written what the operator wrote, without defaults.
 */
export function derive(checked: Tree, written: Tree, env: Environment): Derived {
  const filled: unknown = fill(checked, whenAbsent);
  // The schema checked the keys of Settings that are there, `fill` put in those that must be.
  const settings = filled as Settings;
  const problems: Problem[] = [];
  const warnings: string[] = [];

  const { apisix, deployment, nginx_config: nginx } = settings;
  const { role } = deployment;
  const etcdHost = readEtcdHost(env, warnings);
  const etcd = valueAt(written, ['deployment', 'etcd']);
  const form = deploymentForm(settings, (etcd !== undefined && etcd !== null) || etcdHost !== undefined);
  if (form.provider === 'etcd' && valueAt(checked, ['deployment', 'etcd']) === undefined) {
    problems.push({
      code: 'SETTINGS_INVALID',
      text: `invalid deployment ${role} configuration: property "etcd" is required`,
      path: ['deployment', 'etcd'],
      expected: 'the addresses of etcd',
    });
  }
  problems.push(...checkStandAlone(role, form, env));

  const workers = readWorkerProcesses(env, problems);
  const { dns_resolver: resolvers, status, ...rest } = apisix;
  const usable = resolvers?.filter((resolver) => !resolver.includes('%')) ?? [];
  for (const resolver of resolvers ?? []) {
    if (!usable.includes(resolver))
      warnings.push(`unsupported DNS resolver: ${resolver}, would ignore this item`);
  }

  return {
    settings: {
      ...settings,
      apisix: {
        ...rest,
        enable_admin: form.enableAdmin,
        enable_reuseport: apisix.enable_reuseport && !apisix.enable_dev_mode,
        ...(usable.length === 0 ? {} : { dns_resolver: usable }),
        ...(status === undefined ? {} : { status: { ...statusAddress, ...status } }),
      },
      deployment: {
        ...deployment,
        config_provider: form.provider,
        rules: form.rules,
        etcd: { ...deployment.etcd, ...(etcdHost === undefined ? {} : { host: etcdHost }) },
      },
      nginx_config: {
        ...nginx,
        worker_processes: workers ?? (apisix.enable_dev_mode ? 1 : toCount(nginx.worker_processes)),
      },
    },
    problems,
    warnings,
  };
}

function fill(tree: Tree, absent: Tree): Tree {
  const filled = { ...tree };
  for (const [key, meaning] of Object.entries(absent)) {
    const value = filled[key];
    if (value === undefined) filled[key] = structuredClone(meaning);
    else if (isMap(value) && isMap(meaning)) filled[key] = fill(value, meaning);
  }
  return filled;
}

/** A JSON list of URLs. As in the reference, one that cannot be read is warned about and ignored. */
function readEtcdHost(env: Environment, warnings: string[]): readonly string[] | undefined {
  const text = env['APISIX_DEPLOYMENT_ETCD_HOST'];
  if (text === undefined || text === '') return undefined;
  const ignore = (why: string): undefined => {
    warnings.push(`parse \${APISIX_DEPLOYMENT_ETCD_HOST} failed, error:${why}`);
  };
  let hosts: unknown;
  try {
    hosts = JSON.parse(text);
  } catch (error) {
    return ignore(error instanceof Error ? error.message : String(error));
  }
  if (Array.isArray(hosts) && hosts.length > 0 && hosts.every((host) => typeof host === 'string'))
    return hosts;
  return ignore(`expected a JSON list of URLs, found ${text}`);
}

function readWorkerProcesses(env: Environment, problems: Problem[]): number | undefined {
  const text = env['APISIX_WORKER_PROCESSES'];
  if (text === undefined || text === '') return undefined;
  const count = Math.floor(Number(text));
  if (Number.isSafeInteger(count) && count >= 0) return count;
  problems.push({
    code: 'SETTINGS_INVALID',
    text: `environment variable APISIX_WORKER_PROCESSES: expected a number, at least 0, found ${JSON.stringify(text)}`,
    path: [],
  });
  return undefined;
}

/** Text that is no number means `auto`, as in the reference. */
function toCount(value: unknown): number | 'auto' {
  const count = value === '' ? Number.NaN : Number(value);
  return Number.isSafeInteger(count) && count >= 0 ? count : defaults.nginx_config.worker_processes;
}
