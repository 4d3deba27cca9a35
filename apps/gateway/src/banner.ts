import { resolve } from 'node:path';
import { httpListeners, streamListeners } from '@apisix-ts/config';
import type { Environment, Settings } from '@apisix-ts/config';
import { adminKeyPath, usesMadeKey } from './admin-key.ts';
import { describeStore } from './stores.ts';
import { version } from './version.ts';

export interface BannerFacts {
  readonly settings: Settings;
  readonly home: string;
  readonly configFile: string;
  readonly env: Environment;
  /** From the start of the process until it served. Milliseconds. */
  readonly readyAfterMs: number;
}

/** What a person needs to know first: where everything is, and what to do next. */
export function banner({ settings, home, configFile, env, readyAfterMs }: BannerFacts): string {
  const { apisix, plugin_attr, nginx_config } = settings;
  const { export_addr: metrics, export_uri, enable_export_server: exportsMetrics } = plugin_attr.prometheus;
  const stream = streamListeners(settings);
  const tcp = stream.filter(({ protocol }) => protocol === 'tcp').map(address);
  const udp = stream.filter(({ protocol }) => protocol === 'udp').map(address);
  const http = httpListeners(settings).map(address);
  const { role } = settings.deployment;
  const isControlPlane = role === 'control_plane';
  const rows: [string, string | undefined][] = [
    ['role', role === 'traditional' ? undefined : role],
    [
      'stream TCP',
      isControlPlane || (tcp.length === 0 && udp.length > 0)
        ? undefined
        : (list(tcp) ?? 'none (apisix.proxy_mode and apisix.stream_proxy)'),
    ],
    ['stream UDP', list(udp)],
    ['HTTP', http.length === 0 ? undefined : `${list(http)} (answers 404: HTTP routes come later)`],
    ['Admin API', apisix.enable_admin ? `${adminUrl(settings)}/apisix/admin` : 'off'],
    ['Control API', apisix.enable_control ? `${url(apisix.control.ip, apisix.control.port)}/v1/` : 'off'],
    ['status API', apisix.status && `${url(apisix.status.ip, apisix.status.port)}/status`],
    ['metrics', exportsMetrics ? `${url(metrics.ip, metrics.port)}${export_uri}` : 'off'],
    ['config', configFile],
    ['data', describeStore(settings, home, env)],
    ['log', resolve(home, nginx_config.error_log)],
  ];
  const table = rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${name.padEnd(13)}${value}\n`)
    .join('');
  const seconds = (readyAfterMs / 1000).toFixed(2);
  return `apisix-ts ${version} is serving, ready after ${seconds} s\n\n${table}${example(settings, home, tcp[0])}`;
}

/** One thing to paste that creates a stream route. */
function example(settings: Settings, home: string, listener: string | undefined): string {
  const { https_admin: isTls, admin_api_mtls: files } = settings.deployment.admin;
  // Which client certificate there is, only the operator knows.
  const needsCertificate = isTls === true && Boolean(files?.admin_ssl_ca_cert);
  if (!settings.apisix.enable_admin || listener === undefined || needsCertificate) return '';
  // It goes to this machine, and a name for 127.0.0.1 is in few certificates.
  const trust = isTls === true ? ' -k' : '';
  const key = usesMadeKey(settings) ? ` -H "X-API-KEY: $(cat ${adminKeyPath(home)})"` : '';
  const upstream = '"upstream": {"type": "roundrobin", "nodes": {"127.0.0.1:3306": 1}}';
  const [path, more, body] =
    settings.deployment.rules === 'api'
      ? ['configs', ' -H "X-Digest: 1"', `{"stream_routes": [{"id": "mysql", ${upstream}}]}`]
      : ['stream_routes/mysql', '', `{${upstream}}`];
  return `
Paste this to send ${listener} to a MySQL server on this machine:

  curl${trust} -X PUT ${adminUrl(settings)}/apisix/admin/${path}${key}${more} \\
    -d '${body}'

Ctrl-C stops the gateway.
`;
}

function adminUrl({ deployment: { admin } }: Settings): string {
  const { ip, port } = admin.admin_listen;
  return url(ip, port, admin.https_admin === true ? 'https' : 'http');
}

function url(host: string, port: number, scheme: 'http' | 'https' = 'http'): string {
  // The wildcard is where it listens, not where a person reaches it.
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${scheme}://${address({ host: reachable, port })}`;
}

function address({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** At most four, because a range may be thousands. */
function list(addresses: readonly string[]): string | undefined {
  if (addresses.length === 0) return undefined;
  const shown = addresses.slice(0, 4).join(', ');
  return addresses.length > 4 ? `${shown} and ${addresses.length - 4} more` : shown;
}
