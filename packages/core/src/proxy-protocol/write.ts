import { crc32c } from './crc32c.ts';
import { ipBytes, shortestIpText } from './ip-text.ts';
import type { IpAddresses, ProxyAddresses, ProxyTlvs, UnixAddresses } from './proxy-header.ts';
import { tlvTypes } from './tlv-types.ts';
import { signature } from './version-2.ts';
import { concat, tlv, writeTlvs } from './write-tlvs.ts';

const utf8 = new TextEncoder();

/**
 * The line of version 1. The word is `TCP4` or `TCP6` by the source, and the destination is written as it is even if
 * its family differs, as the reference does; a unix socket is `UNKNOWN`.
 * @throws TypeError for a text that is no address.
 */
export function writeProxyV1(addresses: ProxyAddresses): Uint8Array {
  if (addresses.family === 'unix') return utf8.encode('PROXY UNKNOWN\r\n');
  const { source, destination } = addresses;
  const from = addressText(source.address);
  const to = addressText(destination.address);
  const protocol = from.includes(':') ? 'TCP6' : 'TCP4';
  return utf8.encode(`PROXY ${protocol} ${from} ${to} ${source.port} ${destination.port}\r\n`);
}

export interface ProxyV2Options {
  readonly tlvs?: ProxyTlvs;
  /** Adds a CRC32c of the header. Default false. */
  readonly hasChecksum?: boolean;
}

/**
 * A header of version 2 with the command PROXY. Where the families differ both addresses are IPv6, the IPv4 one mapped
 * (RFC 4291 section 2.5.5.2).
 * @throws TypeError for a text that is no address, a unix path above 108 bytes, an ALPN above 255, a unique id
 * above 128, or TLVs that do not fit.
 */
export function writeProxyV2(addresses: ProxyAddresses, options: ProxyV2Options = {}): Uint8Array {
  const { tlvs = {}, hasChecksum = false } = options;
  const block = addresses.family === 'unix' ? unixBlock(addresses) : ipBlock(addresses);
  const transport = addresses.transport === 'stream' ? 1 : 2;
  const parts = [block.bytes, ...writeTlvs(tlvs)];
  // Last, so that its four bytes are the last four.
  if (hasChecksum) parts.push(tlv(tlvTypes.checksum, new Uint8Array(4)));
  const header = assemble(0x21, (block.family << 4) | transport, parts);
  if (hasChecksum) new DataView(header.buffer).setUint32(header.length - 4, crc32c(header));
  return header;
}

/** A header of version 2 with the command LOCAL, for a connection of our own: a health check. */
export function writeProxyV2Local(): Uint8Array {
  return assemble(0x20, 0, []);
}

interface Block {
  /** The high half of the 14th byte. */
  readonly family: 1 | 2 | 3;
  readonly bytes: Uint8Array;
}

function ipBlock({ source, destination }: IpAddresses): Block {
  const addresses = [addressBytes(source.address), addressBytes(destination.address)];
  const family = addresses.every((address) => address.length === 4) ? 1 : 2;
  const ports = Uint8Array.of(source.port >>> 8, source.port, destination.port >>> 8, destination.port);
  return { family, bytes: concat([...addresses.map(family === 1 ? (address) => address : toIpv6), ports]) };
}

function unixBlock({ sourcePath, destinationPath }: UnixAddresses): Block {
  return { family: 3, bytes: concat([unixField(sourcePath), unixField(destinationPath)]) };
}

function unixField(path: string): Uint8Array {
  const field = new Uint8Array(108);
  const bytes = utf8.encode(path.startsWith('@') ? `\0${path.slice(1)}` : path);
  if (bytes.length > field.length) throw new TypeError(`a unix path of ${bytes.length} bytes`);
  field.set(bytes);
  return field;
}

function toIpv6(address: Uint8Array): Uint8Array {
  return address.length === 16 ? address : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...address);
}

function assemble(
  versionAndCommand: number,
  familyAndTransport: number,
  parts: readonly Uint8Array[],
): Uint8Array {
  const block = concat(parts);
  if (block.length > 0xffff)
    throw new TypeError(`a PROXY header with ${block.length} bytes of addresses and TLVs`);
  const fixed = Uint8Array.of(versionAndCommand, familyAndTransport, block.length >>> 8, block.length);
  return concat([signature, fixed, block]);
}

function addressText(text: string): string {
  return shortestIpText(text) ?? notAddress(text);
}

function addressBytes(text: string): Uint8Array {
  return ipBytes(text) ?? notAddress(text);
}

function notAddress(text: string): never {
  throw new TypeError(`not an address: ${text}`);
}
