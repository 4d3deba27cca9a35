import { networkInterfaces } from 'node:os';

/** The addresses of this machine's interfaces. Link-local ones of IPv6 have their zone: `fe80::1%eth0`. */
export function localAddresses(family: 4 | 6): readonly string[] {
  const addresses: string[] = [];
  for (const [name, entries = []] of Object.entries(networkInterfaces())) {
    for (const entry of entries) {
      if (entry.family !== `IPv${family}`) continue;
      addresses.push(isLinkLocal(entry.address) ? `${entry.address}%${name}` : entry.address);
    }
  }
  return addresses;
}

/** `fe80::/10` */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}
