import { resolve as resolvePath } from 'node:path';
import { checkResource, checkWritten, extraLabels } from '@apisix-ts/config';
import type { CheckContext, CheckStored, Settings } from '@apisix-ts/config';
import { hostOptions, serviceOptions } from './names.ts';
import type { WorkerOptions } from './workers/worker-link.ts';

/**
 * How documents are judged that come from the store. What stands in a file was written for this gateway, so a plugin
 * that does not exist is a mistake there, and not another product's.
 */
export function judgeOf(settings: Settings, checkContext: CheckContext): CheckStored {
  if (settings.deployment.rules === 'file') {
    return (kind, document) => checkWritten(kind, document, checkContext, keyringOf(settings));
  }
  const context: CheckContext = { ...checkContext, isStored: true };
  return (kind, document) => checkResource(kind, document, context);
}

/** Settings of the data plane that a running gateway cannot change. */
const restartOnly: readonly { readonly path: string; readonly read: (settings: Settings) => unknown }[] = [
  { path: 'nginx_config.stream.relay', read: (settings) => settings.nginx_config.stream.relay },
  { path: 'apisix.ssl.fallback_sni', read: (settings) => settings.apisix.ssl.fallback_sni },
  { path: 'apisix.data_encryption.keyring', read: (settings) => keyringOf(settings).join(' ') },
  { path: 'apisix.ssl.ssl_trusted_certificate', read: ({ apisix }) => apisix.ssl.ssl_trusted_certificate },
  { path: 'apisix.lru.secret', read: ({ apisix }) => JSON.stringify(apisix.lru.secret) },
  {
    path: 'nginx_config.stream.tracing',
    read: ({ nginx_config }) => JSON.stringify(nginx_config.stream.tracing),
  },
  { path: 'nginx_config.stream.half_close', read: (settings) => settings.nginx_config.stream.half_close },
  { path: 'nginx_config.stream.udp_sessions', read: (settings) => settings.nginx_config.stream.udp_sessions },
  {
    path: 'plugin_attr.prometheus.metrics',
    read: ({ plugin_attr }) => JSON.stringify(plugin_attr.prometheus.metrics),
  },
  { path: 'apisix.dns_resolver', read: (settings) => JSON.stringify(hostOptions(settings)) },
  { path: 'discovery.dns', read: (settings) => JSON.stringify(serviceOptions(settings)) },
];

/** The key paths of settings that differ and that a running gateway cannot change. */
export function changedForRestart(started: Settings, wanted: Settings): readonly string[] {
  return restartOnly.filter(({ read }) => read(wanted) !== read(started)).map(({ path }) => path);
}

/** What workers are told at their start. @param hasAccessLog somebody takes its lines. */
export function workerSettings(
  settings: Settings,
  hasAccessLog: boolean,
): Pick<
  WorkerOptions,
  | 'relay'
  | 'halfClose'
  | 'udpSessions'
  | 'fallbackServerName'
  | 'caFile'
  | 'accessLog'
  | 'tallyVariables'
  | 'tracing'
> {
  const { stream } = settings.nginx_config;
  return {
    relay: stream.relay,
    halfClose: stream.half_close,
    udpSessions: stream.udp_sessions,
    ...fallbackName(settings),
    ...trustedAuthorities(settings),
    ...(hasAccessLog ? accessLogOptions(settings) : {}),
    tallyVariables: {
      routes: extraLabels(settings, 'stream_connection_total').map(({ variable }) => variable),
      statuses: extraLabels(settings, 'stream_status').map(({ variable }) => variable),
    },
    ...tracingOptions(settings),
  };
}

function fallbackName({ apisix }: Settings): Pick<WorkerOptions, 'fallbackServerName'> {
  const { fallback_sni: name } = apisix.ssl;
  return name === undefined ? {} : { fallbackServerName: name };
}

/** What opens private keys that are stored encrypted; empty where nothing is encrypted. */
export function keyringOf({ apisix }: Settings): readonly string[] {
  const keyring = apisix.data_encryption?.keyring ?? [];
  return typeof keyring === 'string' ? [keyring] : keyring;
}

/** As the reference pauses: longer each time, then always the same. */
export function retryDelaysMs({ deployment: { etcd } }: Settings): readonly number[] {
  const { resync_delay: delay = -1 } = etcd;
  const lastMs = delay < 0 ? 5000 : Math.max(delay, 1) * 1000;
  return [1000, 2000, 4000, 8000, 16_000, 32_000, lastMs];
}

/** When secrets are read again, and whom to trust. */
export function secretOptions(settings: Settings): { ttlMs: number; retryMs: number; caFile?: string } {
  const { ttl, neg_ttl } = settings.apisix.lru.secret;
  return { ttlMs: ttl * 1000, retryMs: neg_ttl * 1000, ...trustedAuthorities(settings) };
}

function trustedAuthorities({ apisix }: Settings): { caFile?: string } {
  const { ssl_trusted_certificate: authorities } = apisix.ssl;
  return authorities === 'system' ? {} : { caFile: resolvePath(authorities) };
}

function accessLogOptions({ nginx_config: { stream } }: Settings): Pick<WorkerOptions, 'accessLog'> {
  if (!stream.enable_access_log) return {};
  return { accessLog: { format: stream.access_log_format, escape: stream.access_log_format_escape } };
}

function tracingOptions({ nginx_config: { stream } }: Settings): Pick<WorkerOptions, 'tracing'> {
  const { enable, register, sample_ratio: sampleRatio } = stream.tracing;
  if (!enable) return {};
  return { tracing: { sampleRatio, ...(register === undefined ? {} : { register: resolvePath(register) }) } };
}
