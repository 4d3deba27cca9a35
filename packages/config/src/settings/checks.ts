import { isIP } from 'node:net';
import type { KeyPath } from '../source/key-path.ts';
import { readAdminTls } from './admin-tls.ts';
import { readDuration } from './duration.ts';
import { checkExtraLabels } from './extra-labels.ts';
import { readHttpListeners, readHttpsListeners, readStreamListeners } from './listeners.ts';
import { findPortConflicts } from './ports.ts';
import type { Problem } from '../source/problem.ts';
import type { Settings } from './settings.ts';

/**
 * What the schema cannot say, in the order in which the reference looks.
 * @param home undefined: no files are looked at.
 */
export function checkSettings(settings: Settings, home: string | undefined): readonly Problem[] {
  return [
    ...checkAllowedAddresses(settings),
    ...readAdminTls(settings, home).problems,
    ...checkTrustedAddresses(settings),
    ...checkStreamMetrics(settings),
    ...findPortConflicts(settings),
    ...readHttpListeners(settings.apisix).problems,
    ...readHttpsListeners(settings.apisix).problems,
    ...readStreamListeners(settings.apisix).problems,
    ...checkDurations(settings),
    ...checkNameServers(settings),
    ...checkExtraLabels(settings),
  ];
}

function checkAllowedAddresses({ deployment: { role, admin } }: Settings): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [index, address] of (admin.allow_admin ?? []).entries()) {
    if (isAddressOrBlock(address)) continue;
    problems.push({
      code: 'SETTINGS_INVALID',
      text:
        `invalid deployment ${role} configuration: property "admin" validation failed: property "allow_admin" ` +
        `validation failed: failed to validate item ${index + 1}: object matches none of the required`,
      path: ['deployment', 'admin', 'allow_admin', index],
      expected: 'an ip address or a CIDR block',
    });
  }
  return problems;
}

/** The schema is as rough about addresses as the reference's; what passes here is used as it stands. */
function checkTrustedAddresses({ nginx_config: { stream } }: Settings): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [index, address] of (stream.real_ip_from ?? []).entries()) {
    if (isAddressOrBlock(address)) continue;
    problems.push({
      code: 'SETTINGS_INVALID',
      text: `invalid nginx_config.stream.real_ip_from entry: ${address}`,
      path: ['nginx_config', 'stream', 'real_ip_from', index],
      expected: 'an ip address or a CIDR block',
    });
  }
  return problems;
}

function isAddressOrBlock(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function checkStreamMetrics({
  stream_plugins: names,
  plugin_attr: { prometheus },
}: Settings): readonly Problem[] {
  if (!names.includes('prometheus') || prometheus.enable_export_server) return [];
  return [
    {
      code: 'SETTINGS_INVALID',
      text: 'L4 prometheus metric should be exposed via export server',
      path: ['plugin_attr', 'prometheus', 'enable_export_server'],
      expected: 'true',
    },
  ];
}

function checkDurations({ nginx_config: { worker_shutdown_timeout } }: Settings): readonly Problem[] {
  const read = readDuration(worker_shutdown_timeout);
  if (typeof read === 'number') return [];
  return [
    {
      code: 'SETTINGS_INVALID',
      text: read,
      path: ['nginx_config', 'worker_shutdown_timeout'],
      expected: 'a time such as 240s or 1h 30m',
    },
  ];
}

function checkNameServers({ apisix, discovery }: Settings): readonly Problem[] {
  const lists: readonly (readonly [KeyPath, readonly string[] | undefined])[] = [
    [['apisix', 'dns_resolver'], apisix.dns_resolver],
    [['discovery', 'dns', 'servers'], discovery?.dns?.servers],
  ];
  return lists.flatMap(([path, servers = []]) =>
    servers
      .filter((server) => !isNameServer(server))
      .map((server): Problem => ({
        code: 'SETTINGS_INVALID',
        text: `invalid ${path.join('.')} entry: ${server}`,
        path,
        expected: 'an ip address, with a port as in 192.0.2.1:53 or [2001:db8::1]:53',
      })),
  );
}

/** Names are no use here: who would look them up? */
function isNameServer(text: string): boolean {
  if (text.includes('%')) return false;
  if (isIP(text) !== 0) return true;
  const [, ip6, ip4, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isAddress = ip6 === undefined ? isIP(ip4 ?? '') === 4 : isIP(ip6) === 6;
  return isAddress && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535));
}
