import { BlockList, isIP } from 'node:net';
import { GatewayError } from '@apisix-ts/errors';

/** May this address use the Admin API? */
export type AllowList = (address: string) => boolean;

/**
 * @param allowed addresses and CIDR blocks; undefined allows every client, an empty list none.
 * @throws GatewayError `SETTINGS_INVALID`.
 */
export function createAllowList(allowed: readonly string[] | undefined): AllowList {
  if (allowed === undefined) return () => true;
  const list = new BlockList();
  for (const entry of allowed) add(list, entry);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
}

function add(list: BlockList, entry: string): void {
  const [address = '', prefix, ...rest] = entry.split('/');
  const version = isIP(address);
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (version !== 0 && prefix === undefined) return list.addAddress(address, family);
  const bits = /^\d{1,3}$/.test(prefix ?? '') ? Number(prefix) : Infinity;
  if (version === 0 || rest.length > 0 || bits > (version === 6 ? 128 : 32)) {
    throw new GatewayError(
      'SETTINGS_INVALID',
      `An entry of deployment.admin.allow_admin must be an address or a CIDR block, got ${JSON.stringify(entry)}.`,
    );
  }
  list.addSubnet(address, bits, family);
}
