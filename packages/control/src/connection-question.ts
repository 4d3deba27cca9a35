import { isIP } from 'node:net';
import type { ConnectionQuestion } from './connection-facts.ts';

/** Routes in an answer. */
const LIMIT = 20;
const MOST_ROUTES = 1000;

const names: ReadonlySet<string> = new Set(['port', 'to', 'from', 'sni', 'alpn', 'protocol', 'limit']);

/**
 * Reads the arguments of `GET /v1/explain`.
 * @returns a sentence about what is wrong, if something is.
 */
export function readQuestion(query: Readonly<Record<string, unknown>>): ConnectionQuestion | string {
  const unknown = Object.keys(query).find((name) => !names.has(name));
  if (unknown !== undefined) return `unknown argument ${unknown}: expected ${[...names].join(', ')}`;
  const repeated = Object.entries(query).find(([, value]) => typeof value !== 'string');
  if (repeated !== undefined) return `the argument ${repeated[0]} was given more than once`;
  // What is left are texts.
  const { port, to, from, sni, alpn, protocol = 'tcp', limit } = query as Readonly<Record<string, string>>;

  if (protocol !== 'tcp' && protocol !== 'udp') return `expected tcp or udp as protocol, found ${protocol}`;
  const serverPort = readNumber(port, 65_535);
  if (serverPort === undefined) {
    return `expected a port that is connected to, from 1 to 65535, as port, found ${port ?? 'none'}`;
  }
  const most = limit === undefined ? LIMIT : readNumber(limit, MOST_ROUTES);
  if (most === undefined) return `expected a number from 1 to ${MOST_ROUTES} as limit, found ${limit}`;
  for (const [name, address] of Object.entries({ to, from })) {
    if (address !== undefined && isIP(withoutBrackets(address)) === 0) {
      return `expected an ip address as ${name}, found ${address}`;
    }
  }
  if (protocol === 'udp' && (sni ?? alpn) !== undefined) return 'sni and alpn are for TLS, which UDP has not';
  return {
    protocol,
    serverPort,
    limit: most,
    ...(to === undefined ? {} : { serverAddress: withoutBrackets(to) }),
    ...(from === undefined ? {} : { remoteAddress: withoutBrackets(from) }),
    ...(sni === undefined || sni === '' ? {} : { serverName: sni }),
    ...(alpn === undefined || alpn === '' ? {} : { alpn: alpn.split(',') }),
  };
}

/** A whole number from 1. */
function readNumber(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^[1-9]\d{0,8}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= most ? number : undefined;
}

function withoutBrackets(address: string): string {
  return address.replace(/^\[(.*)\]$/, '$1');
}
