import { malformed, needMore } from '../connection/head-parser.ts';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { shortestIpText } from './ip-text.ts';
import type { ProxyEndpoint, ProxyHeader } from './proxy-header.ts';

const utf8 = new TextDecoder();
const CR = 13;
const LF = 10;
/** The line with its CRLF: section 2.1. */
const LONGEST_LINE = 107;

/** Reads the line that starts with `PROXY `, from all bytes there are so far. */
export function parseVersion1(bytes: Uint8Array): HeadAnswer<ProxyHeader> {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(LF);
  if (end === -1) {
    return bytes.length < LONGEST_LINE ? needMore : malformed('no end of line in the first 107 bytes');
  }
  if (bytes.indexOf(CR) !== end - 1) return malformed('a line that does not end with CRLF');
  return parseLine(utf8.decode(bytes.subarray(0, end - 1)), end + 1);
}

function parseLine(line: string, consumedBytes: number): HeadAnswer<ProxyHeader> {
  const [, protocol, ...fields] = line.split(' ');
  if (protocol === 'UNKNOWN') return parsed(undefined, consumedBytes);
  if (protocol !== 'TCP4' && protocol !== 'TCP6')
    return malformed('a protocol other than TCP4, TCP6 and UNKNOWN');
  const [sourceAddress, destinationAddress, sourcePort, destinationPort, ...more] = fields;
  if (destinationPort === undefined || more.length > 0)
    return malformed(`${fields.length} fields in place of four`);

  const source = endpoint(sourceAddress, sourcePort);
  const destination = endpoint(destinationAddress, destinationPort);
  if (source === undefined || !isOfFamily(sourceAddress, protocol))
    return malformed(`a source that is not ${protocol}`);
  // The reference writes its own address as the destination whatever the client's family is, so that one may differ.
  if (destination === undefined) return malformed('a destination that is no address and port');
  return parsed({ family: 'ip', transport: 'stream', source, destination }, consumedBytes);
}

function parsed(addresses: ProxyHeader['addresses'], consumedBytes: number): HeadAnswer<ProxyHeader> {
  return { kind: 'parsed', value: { version: 1, isLocal: false, addresses, tlvs: {} }, consumedBytes };
}

function isOfFamily(address: string | undefined, protocol: 'TCP4' | 'TCP6'): boolean {
  return address?.includes(':') === (protocol === 'TCP6');
}

function endpoint(address: string | undefined, digits: string | undefined): ProxyEndpoint | undefined {
  if (address === undefined || digits === undefined || address.includes('%')) return undefined;
  const port = /^(?:0|[1-9]\d{0,4})$/.test(digits) ? Number(digits) : 65_536;
  const shortest = shortestIpText(address);
  return shortest === undefined || port > 65_535 ? undefined : { address: shortest, port };
}
