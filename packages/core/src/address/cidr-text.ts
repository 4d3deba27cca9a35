import { ipv4Text, ipv6Text } from '../proxy-protocol/ip-text.ts';
import type { Cidr } from './ip.ts';

/** `192.0.2.0/24`, `2001:db8::/32`, or a single address without its length. */
export function cidrText(prefix: Cidr): string {
  const bytes = new DataView(new ArrayBuffer(16));
  if (prefix.family === 4) bytes.setUint32(0, prefix.bits);
  else {
    bytes.setBigUint64(0, prefix.bits >> 64n);
    bytes.setBigUint64(8, BigInt.asUintN(64, prefix.bits));
  }
  const view = new Uint8Array(bytes.buffer);
  const [text, width] = prefix.family === 4 ? [ipv4Text(view, 0), 32] : [ipv6Text(view, 0), 128];
  return prefix.prefixLength === width ? text : `${text}/${prefix.prefixLength}`;
}
