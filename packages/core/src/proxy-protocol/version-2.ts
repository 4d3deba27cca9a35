import { ByteReader } from '../connection/byte-reader.ts';
import { malformed, needMore } from '../connection/head-parser.ts';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { ipv4Text, ipv6Text } from './ip-text.ts';
import type { ProxyAddresses, ProxyHeader, ProxyTransport } from './proxy-header.ts';
import { TlvReader } from './read-tlvs.ts';

/** What stands before everything else: section 2.2. */
export const signature: Uint8Array = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);

const LOCAL = 0;
const PROXY = 1;
const families = ['unspec', 'ipv4', 'ipv6', 'unix'] as const;
const transports = ['unspec', 'stream', 'datagram'] as const;
const addressBytes = { ipv4: 12, ipv6: 36, unix: 216 } as const;
const UNIX_PATH_BYTES = 108;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads a header that starts with the signature, from all bytes there are so far. */
export function parseVersion2(bytes: Uint8Array, limitBytes: number): HeadAnswer<ProxyHeader> {
  const reader = new ByteReader(bytes, signature.length);
  const versionAndCommand = reader.u8();
  if (reader.isTruncated) return needMore;
  const command = versionAndCommand & 15;
  if (versionAndCommand >>> 4 !== 2) return malformed(`version ${versionAndCommand >>> 4}`);
  if (command !== LOCAL && command !== PROXY) return malformed(`command ${command}`);

  const familyAndTransport = reader.u8();
  const length = reader.u16();
  if (reader.isTruncated) return needMore;
  const consumedBytes = reader.position + length;
  if (consumedBytes > limitBytes) return malformed(`a header of ${consumedBytes} bytes`);
  // The block of LOCAL is skipped, "including the family which is ignored".
  const kind = command === LOCAL ? 'unspec' : kindOf(familyAndTransport);
  if (kind === undefined) return malformed(`family and protocol 0x${familyAndTransport.toString(16)}`);
  if (bytes.length < consumedBytes) return needMore;
  if (kind === 'unspec') {
    const value = { version: 2, isLocal: command === LOCAL, addresses: undefined, tlvs: {} } as const;
    return { kind: 'parsed', value, consumedBytes };
  }
  return parseBlock(bytes.subarray(0, consumedBytes), reader.position, kind);
}

interface BlockKind {
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  readonly transport: ProxyTransport;
}

function kindOf(familyAndTransport: number): BlockKind | 'unspec' | undefined {
  const family = families[familyAndTransport >>> 4];
  const transport = transports[familyAndTransport & 15];
  if (family === undefined || transport === undefined) return undefined;
  return family === 'unspec' || transport === 'unspec' ? 'unspec' : { family, transport };
}

/** @param header the whole of it; the addresses start `at`. */
function parseBlock(header: Uint8Array, at: number, kind: BlockKind): HeadAnswer<ProxyHeader> {
  const tlvsAt = at + addressBytes[kind.family];
  if (header.length < tlvsAt)
    return malformed(`${header.length - at} bytes for the addresses of ${kind.family}`);
  const tlvs = new TlvReader(header);
  const fault = tlvs.read(new ByteReader(header, tlvsAt));
  if (fault !== undefined) return malformed(fault);
  const addresses = parseAddresses(header, at, kind);
  const value = { version: 2, isLocal: false, addresses, tlvs: tlvs.found } as const;
  return { kind: 'parsed', value, consumedBytes: header.length };
}

function parseAddresses(header: Uint8Array, at: number, { family, transport }: BlockKind): ProxyAddresses {
  if (family === 'unix') {
    const pathAt = (start: number): string => unixPath(header.subarray(start, start + UNIX_PATH_BYTES));
    return { family, transport, sourcePath: pathAt(at), destinationPath: pathAt(at + UNIX_PATH_BYTES) };
  }
  const [text, width] = family === 'ipv4' ? [ipv4Text, 4] : [ipv6Text, 16];
  const ports = new ByteReader(header, at + 2 * width);
  return {
    family: 'ip',
    transport,
    source: { address: text(header, at), port: ports.u16() },
    destination: { address: text(header, at + width), port: ports.u16() },
  };
}

/** A path ends at the first NUL; a name of the abstract namespace starts with one. */
function unixPath(field: Uint8Array): string {
  const isAbstract = field[0] === 0 && field[1] !== 0;
  const start = isAbstract ? 1 : 0;
  const end = field.indexOf(0, start);
  const path = utf8.decode(field.subarray(start, end === -1 ? field.length : end));
  return isAbstract ? `@${path}` : path;
}
