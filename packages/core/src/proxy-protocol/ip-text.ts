import { parseIp } from '../address/ip.ts';

/** The text of an IPv4 address, four bytes at `at`. */
export function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** The text of an IPv6 address, sixteen bytes at `at` (RFC 5952 section 4); of an IPv4-mapped one, the IPv4 address. */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[at + 2 * index] ?? 0) << 8) | (bytes[at + 2 * index + 1] ?? 0),
  );
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0))
    return ipv4Text(bytes, at + 12);

  const { start, length } = longestZeros(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/**
 * The bytes of an address: four, or sixteen for one that is not IPv4 or mapped from it.
 * @returns undefined when the text is not an address. A zone is ignored.
 */
export function ipBytes(text: string): Uint8Array | undefined {
  const ip = parseIp(text);
  if (ip === undefined) return undefined;
  const bytes = new Uint8Array(ip.family === 4 ? 4 : 16);
  const view = new DataView(bytes.buffer);
  if (ip.family === 4) {
    view.setUint32(0, ip.bits);
  } else {
    view.setBigUint64(0, ip.bits >> 64n);
    view.setBigUint64(8, ip.bits);
  }
  return bytes;
}

/** @returns undefined when the text is not an address. A zone is ignored. */
export function shortestIpText(text: string): string | undefined {
  // There is one way only to write an IPv4 address.
  if (!text.includes(':')) return parseIp(text) === undefined ? undefined : text;
  const bytes = ipBytes(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? ipv4Text(bytes, 0) : ipv6Text(bytes, 0);
}

/** The first of the longest runs. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
