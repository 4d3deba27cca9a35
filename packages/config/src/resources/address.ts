import { isIPv4, isIPv6 } from 'node:net';

/**
 * Is it an address (`192.0.2.1`, `2001:db8::1`) or a range in CIDR form (`192.0.2.1/26`, `2001:db8::/32`)? Bits behind
 * the prefix may be set; a zone (`fe80::1%eth0`) is not an address here.
 */
export function isAddressOrRange(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash === -1) return addressBits(text) > 0;
  const prefix = text.slice(slash + 1);
  return /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= addressBits(text.slice(0, slash));
}

/** 32, 128, or -1 if it is no address. */
function addressBits(text: string): number {
  if (isIPv4(text)) return 32;
  return isIPv6(text) && !text.includes('%') ? 128 : -1;
}
