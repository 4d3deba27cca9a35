/** An address as bits, so that prefixes compare without text. IPv4-mapped IPv6 addresses are IPv4. */
export type Ip =
  | { readonly family: 4; readonly bits: number }
  | { readonly family: 6; readonly bits: bigint };

/** All addresses that share the first `prefixLength` bits. Bits beyond it are zero. */
export type Cidr = Ip & { readonly prefixLength: number };

/** @returns undefined when `text` is not an IPv4 or IPv6 address. A zone (`fe80::1%eth0`) is ignored. */
export function parseIp(text: string): Ip | undefined {
  if (!text.includes(':')) {
    const bits = parseIpv4(text);
    return bits === undefined ? undefined : { family: 4, bits };
  }
  const bits = parseIpv6(text);
  if (bits === undefined) return undefined;
  if (bits >> 32n === MAPPED_PREFIX) return { family: 4, bits: Number(bits & 0xffff_ffffn) };
  return { family: 6, bits };
}

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. @returns undefined when `text` is none of them. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const ip = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (ip === undefined) return undefined;

  const width = ip.family === 4 ? 32 : 128;
  if (slash === -1) return { ...ip, prefixLength: width };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) return undefined;
  const prefixLength = Number(digits);
  if (prefixLength > width) return undefined;
  return ip.family === 4
    ? { family: 4, bits: maskIpv4(ip.bits, prefixLength), prefixLength }
    : { family: 6, bits: maskIpv6(ip.bits, prefixLength), prefixLength };
}

export function maskIpv4(bits: number, prefixLength: number): number {
  // A shift by 32 is a shift by 0 in JavaScript, so the empty prefix is a case of its own.
  return prefixLength === 0 ? 0 : (bits & (-1 << (32 - prefixLength))) >>> 0;
}

export function maskIpv6(bits: bigint, prefixLength: number): bigint {
  const hostBits = BigInt(128 - prefixLength);
  return (bits >> hostBits) << hostBits;
}

/** `::ffff:0:0/96`, RFC 4291 section 2.5.5.2. */
const MAPPED_PREFIX = 0xffffn;

const ZERO = 48;
const DOT = 46;

/** Decimal quads only, without leading zeros, as inet_pton(3) reads them. Runs once per connection. */
function parseIpv4(text: string): number | undefined {
  let bits = 0;
  let octet = -1;
  let dots = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (octet === -1 || ++dots > 3) return undefined;
      bits = bits * 256 + octet;
      octet = -1;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || octet === 0) return undefined;
    octet = octet === -1 ? digit : octet * 10 + digit;
    if (octet > 255) return undefined;
  }
  return dots === 3 && octet !== -1 ? bits * 256 + octet : undefined;
}

function parseIpv6(text: string): bigint | undefined {
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  const halves = address.split('::');
  if (halves.length > 2) return undefined;

  const head = parseGroups(halves[0] ?? '');
  const tail = parseGroups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;

  let bits = 0n;
  for (const group of head) bits = (bits << 16n) | BigInt(group);
  bits <<= BigInt(16 * missing);
  for (const group of tail) bits = (bits << 16n) | BigInt(group);
  return bits;
}

/** The 16-bit groups of one side of `::`; the last may be a dotted quad. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (quad === undefined) return undefined;
      groups.push(quad >>> 16, quad & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
