import { BlockList, isIP } from 'node:net';
import { GatewayError } from '@apisix-ts/errors';

/** May this address use the Admin API? */
export type AllowList = (address: string) => boolean;

/**
 * An IPv4 client is looked for among the IPv4 entries only, those written as `::ffff:10.0.0.0/104` included: `::/0` is
 * every IPv6 client, as in nginx.
 * @param allowed addresses and CIDR blocks; undefined allows every client, an empty list none.
 * @throws GatewayError `SETTINGS_INVALID`.
 */
export function createAllowList(allowed: readonly string[] | undefined): AllowList {
  if (allowed === undefined) return () => true;
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of allowed) {
    const { address, bits, family } = readEntry(entry);
    lists[family].addSubnet(address, bits, family);
  }
  const isListed = (address: string): boolean => {
    const version = isIP(address);
    if (version === 0) return false;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    return lists[family].check(address, family);
  };
  // Clients come in runs: each asks for its connection, and again with every request.
  let last = { address: '', isAllowed: false };
  return (address) => {
    if (address !== last.address) last = { address, isAllowed: isListed(address) };
    return last.isAllowed;
  };
}

interface Entry {
  readonly address: string;
  /** Length of the prefix. */
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function readEntry(entry: string): Entry {
  const [address = '', prefix, ...rest] = entry.split('/');
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Infinity;
  if (version === 0 || rest.length > 0 || bits > most) {
    throw new GatewayError(
      'SETTINGS_INVALID',
      `An entry of deployment.admin.allow_admin must be an address or a CIDR block, got ${JSON.stringify(entry)}.`,
    );
  }
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined && bits >= 96) return { address: mapped, bits: bits - 96, family: 'ipv4' };
  return { address, bits, family: version === 6 ? 'ipv6' : 'ipv4' };
}
