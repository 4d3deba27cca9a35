import type { Settings } from '@apisix-ts/config';

type Row = readonly [path: string, read: (settings: Settings) => unknown];

/** A running gateway keeps its form, its store and its logs. @returns what waits for a restart, as key paths. */
export function pendingSettings(started: Settings, settings: Settings): readonly string[] {
  return [
    ...changedForm(started, settings),
    ...changed([...storeRows(started), ...logRows], started, settings),
  ];
}

/**
 * Settings that a running gateway can take over: where they ask for another form, it keeps its own. What follows from
 * the form (whether there is an Admin API, which ports are open) then does not change by halves.
 */
export function keepForm(running: Settings, settings: Settings): Settings {
  if (changedForm(running, settings).length === 0) return settings;
  const { role, config_provider, rules } = running.deployment;
  return {
    ...settings,
    apisix: { ...settings.apisix, enable_admin: running.apisix.enable_admin },
    deployment: { ...settings.deployment, role, config_provider, rules },
  };
}

/** The settings that lead to another role, store or way in for resources. */
function changedForm(running: Settings, settings: Settings): readonly string[] {
  const paths = changed(formRows, running, settings);
  if (paths.length > 0 || running.deployment.rules === settings.deployment.rules) return paths;
  return ['apisix.enable_admin'];
}

function changed(rows: readonly Row[], before: Settings, after: Settings): readonly string[] {
  return rows
    .filter(([, read]) => JSON.stringify(read(before)) !== JSON.stringify(read(after)))
    .map(([path]) => path);
}

const formRows: readonly Row[] = [
  ['deployment.role', ({ deployment }) => deployment.role],
  ['deployment.config_provider', ({ deployment }) => deployment.config_provider],
];

/** Of the store in use. */
function storeRows({ deployment: { config_provider: name } }: Settings): readonly Row[] {
  return name === 'etcd' || name === 'embedded'
    ? [[`deployment.${name}`, ({ deployment }) => deployment[name]]]
    : [];
}

const logRows: readonly Row[] = [
  ['nginx_config.stream.enable_access_log', ({ nginx_config }) => nginx_config.stream.enable_access_log],
  ['nginx_config.stream.access_log', ({ nginx_config }) => nginx_config.stream.access_log],
  ['nginx_config.stream.access_log_format', ({ nginx_config }) => nginx_config.stream.access_log_format],
  [
    'nginx_config.stream.access_log_format_escape',
    ({ nginx_config }) => nginx_config.stream.access_log_format_escape,
  ],
  ['nginx_config.error_log', ({ nginx_config }) => nginx_config.error_log],
  ['nginx_config.error_log_level', ({ nginx_config }) => nginx_config.error_log_level],
];
