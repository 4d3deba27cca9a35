import { isGatewayError } from '@apisix-ts/errors';
import { Endpoint } from './endpoint.ts';
import { api } from './etcd-api.ts';
import { reasonIn } from './etcd-error.ts';
import type { EtcdOptions } from './etcd-options.ts';
import { createKeys } from './keys.ts';
import type { Keys } from './keys.ts';
import { probeVersion } from './probe-version.ts';
import { readTlsFiles } from './security.ts';
import type { TlsFiles } from './security.ts';

/** Where the lines go that a person reads. */
export interface InitEtcdReport {
  out(line: string): void;
  err(line: string): void;
}

export interface InitEtcdResult {
  /** The directories are written. If not, `err` was told why. */
  readonly ok: boolean;
}

const OLDEST_VERSION = '3.4.0';
const PLACEHOLDER = 'init_dir';

/** The directories of APISIX's key layout. */
const directories = [
  'routes',
  'upstreams',
  'services',
  'plugins',
  'consumers',
  'ssls',
  'global_rules',
  'stream_routes',
  'protos',
  'plugin_metadata',
  'plugin_configs',
  'consumer_groups',
  'secrets',
] as const;

/**
 * What `apisix init_etcd` does: asks every host for its version, and when enough of them are up, writes the placeholder
 * of each directory. Existing keys below them are left alone, so it may be repeated. The lines are APISIX's.
 * @throws GatewayError `SETTINGS_FILE_UNREADABLE`, `SETTINGS_INVALID`.
 */
export async function initEtcd(options: EtcdOptions, report: InitEtcdReport): Promise<InitEtcdResult> {
  const { hosts } = options;
  const secure = hosts.filter((host) => host.startsWith('https:'));
  const files = secure.length > 0 ? readTlsFiles(options.tls) : {};
  if (secure.length > 0 && secure.length < hosts.length)
    report.out('WARNING: mixed protocols among etcd endpoints');

  const healthy: string[] = [];
  for (const host of hosts) {
    const body = await probe(host, options, files, report);
    if (body === undefined) continue;
    const problem = versionProblem(body, `${host}/version`);
    if (problem !== undefined) return failed(report, problem);
    healthy.push(host);
  }
  if (healthy.length === 0) return failed(report, 'all etcd nodes are unavailable');
  if (healthy.length / hosts.length <= 0.5) {
    return failed(report, 'the etcd cluster needs at least 50% and above healthy nodes');
  }

  report.out('trying to initialize the data of etcd');
  for (const host of healthy) {
    const problem = await writePlaceholders(new Endpoint(host, options, files), createKeys(options.prefix));
    if (problem === undefined) return { ok: true };
    report.err(problem.line);
    if (problem.isFinal) return { ok: false };
  }
  return failed(report, 'none of the configured etcd works well');
}

function failed(report: InitEtcdReport, line: string): InitEtcdResult {
  report.err(line);
  return { ok: false };
}

async function probe(
  host: string,
  options: EtcdOptions,
  files: TlsFiles,
  report: InitEtcdReport,
): Promise<string | undefined> {
  let reason = '';
  for (let attempt = 1; attempt <= options.startupAttempts; attempt += 1) {
    try {
      return await probeVersion(host, options.tls, files);
    } catch (error) {
      reason = reasonIn(error);
      report.out(`Warning! Request etcd endpoint '${host}/version' error, ${reason}, retry time=${attempt}`);
    }
  }
  report.err(`request etcd endpoint '${host}/version' error, ${reason}`);
  return undefined;
}

function versionProblem(body: string, url: string): string | undefined {
  const version = clusterVersion(body);
  if (version === undefined) return `got malformed version message: "${body}" from etcd "${url}"`;
  if (isOlder(version, OLDEST_VERSION)) {
    return `etcd cluster version ${version} is less than the required version ${OLDEST_VERSION}, please upgrade your etcd cluster`;
  }
  return undefined;
}

function clusterVersion(body: string): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    // Not JSON is one way of being malformed, and the caller shows the body.
    return undefined;
  }
  if (typeof answer !== 'object' || answer === null || !('etcdcluster' in answer)) return undefined;
  const { etcdcluster } = answer;
  return typeof etcdcluster === 'string' && /^\d+\.\d+\.\d+/.test(etcdcluster) ? etcdcluster : undefined;
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  for (const [index, part] of (b ?? []).entries()) {
    const found = a?.[index] ?? 0;
    if (found !== part) return found < part;
  }
  return false;
}

/** @returns what went wrong; final if another host would say the same. */
async function writePlaceholders(
  endpoint: Endpoint,
  keys: Keys,
): Promise<{ readonly line: string; readonly isFinal: boolean } | undefined> {
  const { signal } = new AbortController();
  try {
    for (const directory of directories) {
      const key = keys.absolute(`${directory}/`);
      await endpoint.call(api.put, { key, value: Buffer.from(PLACEHOLDER), prevKv: true }, signal);
    }
    return undefined;
  } catch (error) {
    const reason = reasonIn(error);
    if (/permission denied/.test(reason) || !isGatewayError(error, 'STORE_DENIED')) {
      return {
        line: `got malformed key-put message: "${reason}" from etcd "${endpoint.url}"`,
        isFinal: false,
      };
    }
    return { line: `got malformed auth message: "${reason}" from etcd "${endpoint.url}"`, isFinal: true };
  } finally {
    endpoint.reset();
  }
}
