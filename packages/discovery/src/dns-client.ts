import { isIP, isIPv6 } from 'node:net';
import type { Answer, DecodedPacket, SrvAnswer, StringAnswer } from 'dns-packet';
import { exchange } from './dns-exchange.ts';
import type { DnsEndpoint } from './dns-exchange.ts';

export interface DnsClientOptions {
  /** As `ip`, `ip:port` or `[ip6]:port`; at least one. Asked in this order, beginning with the last that answered. */
  readonly servers: readonly string[];
  /** Milliseconds until one query to one server is given up. Default 2000. */
  readonly queryTimeoutMs?: number;
  /** Queries to a silent server before it is given up. Default 2. */
  readonly tries?: number;
}

export type DnsRecordType = 'A' | 'AAAA' | 'CNAME' | 'SRV';

/** What a server said to a question. */
export type DnsReply =
  | {
      readonly records: readonly (StringAnswer | SrvAnswer)[];
      /** The shortest of the records and of the aliases (CNAME) that led to them. Seconds. */
      readonly ttlSeconds: number;
      /** What the server sent along: the addresses of an SRV record's targets, for instance. */
      readonly additionals: readonly Answer[];
    }
  | { readonly failure: DnsFailure };

export interface DnsFailure {
  /** A DNS response code (`NXDOMAIN`, `SERVFAIL`), `NODATA`, `EBADNAME`, `ETIMEDOUT`, or the system's (`ECONNREFUSED`). */
  readonly reason: string;
  /** Some server answered; otherwise asking for another name will not help either. */
  readonly isAnswered: boolean;
}

/** May the same question be answered soon? Then no other may take its place. */
export function isTransient({ reason, isAnswered }: DnsFailure): boolean {
  return !isAnswered || reason === 'SERVFAIL';
}

/** Asks DNS servers, one after the other, until one of them knows. It keeps no answers. */
export class DnsClient {
  readonly servers: readonly string[];
  /** Never changed in place: a query may be at it. */
  #endpoints: readonly DnsEndpoint[];
  readonly #queryTimeoutMs: number;
  readonly #tries: number;

  constructor({ servers, queryTimeoutMs = 2000, tries = 2 }: DnsClientOptions) {
    this.servers = servers;
    this.#endpoints = servers.map(parseServer);
    this.#queryTimeoutMs = queryTimeoutMs;
    this.#tries = tries;
  }

  /** @param signal ends the search: the outcome is `ETIMEDOUT` then. */
  async query(name: string, type: DnsRecordType, signal: AbortSignal): Promise<DnsReply> {
    if (!NAME.test(name)) return { failure: { reason: 'EBADNAME', isAnswered: true } };
    let failure: DnsFailure = { reason: 'ECONNREFUSED', isAnswered: false };
    for (let round = 0; round < this.#tries; round++) {
      for (const server of this.#endpoints) {
        const reply = await this.#ask(server, name, type, signal);
        if (!('failure' in reply) || isKnown(reply.failure)) {
          this.#prefer(server);
          return reply;
        }
        failure = reply.failure;
        if (signal.aborted) return { failure };
      }
      // The others of this round said no; asking them again changes nothing.
      if (failure.isAnswered) break;
    }
    return { failure };
  }

  async #ask(server: DnsEndpoint, name: string, type: DnsRecordType, signal: AbortSignal): Promise<DnsReply> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(this.#queryTimeoutMs)]);
    try {
      const question = { type, name: withoutLastDot(name), class: 'IN' as const };
      return readReply(await exchange(server, question, patience), question.name, type);
    } catch (error) {
      return { failure: { reason: patience.aborted ? 'ETIMEDOUT' : errnoOf(error), isAnswered: false } };
    }
  }

  #prefer(server: DnsEndpoint): void {
    if (this.#endpoints[0] === server) return;
    this.#endpoints = [server, ...this.#endpoints.filter((other) => other !== server)];
  }
}

/** Labels of 1 to 63 bytes, 253 in all (RFC 1035 section 2.3.4); names beyond ASCII have to come encoded. */
const NAME = /^(?=.{1,254}$)[!-\-/-9;-~]{1,63}(\.[!-\-/-9;-~]{1,63})*\.?$/;

/** The answer is the name's, and not the server's: nobody else has to be asked. */
function isKnown({ reason }: DnsFailure): boolean {
  return reason === 'NXDOMAIN' || reason === 'NODATA';
}

/** RFC 1035 section 4.1.1. */
const RESPONSE_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

function readReply(packet: DecodedPacket, name: string, type: DnsRecordType): DnsReply {
  const code = (packet.flags ?? 0) & 0xf;
  if (code !== 0) {
    return { failure: { reason: RESPONSE_CODES[code] ?? `response code ${code}`, isAnswered: true } };
  }
  const answers = packet.answers ?? [];
  const { owner, ttls } = followAliases(answers, name, type);
  const records = answers.filter(
    (answer): answer is StringAnswer | SrvAnswer => answer.type === type && isNamed(answer, owner),
  );
  if (records.length === 0) return { failure: { reason: 'NODATA', isAnswered: true } };
  const ttlSeconds = Math.min(...ttls, ...records.map(({ ttl }) => ttl ?? 0));
  return { records, ttlSeconds, additionals: packet.additionals ?? [] };
}

/** Each alias leads on at most once, so a circle ends. */
function followAliases(
  answers: readonly Answer[],
  name: string,
  type: DnsRecordType,
): { readonly owner: string; readonly ttls: readonly number[] } {
  const ttls: number[] = [];
  let owner = name;
  if (type === 'CNAME') return { owner, ttls };
  for (let hops = 0; hops < answers.length; hops++) {
    const alias = answers.find((answer) => answer.type === 'CNAME' && isNamed(answer, owner));
    if (alias?.type !== 'CNAME') break;
    owner = alias.data;
    ttls.push(alias.ttl ?? 0);
  }
  return { owner, ttls };
}

function isNamed(record: Answer, name: string): boolean {
  return withoutLastDot(record.name).toLowerCase() === withoutLastDot(name).toLowerCase();
}

function withoutLastDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function parseServer(server: string): DnsEndpoint {
  const parts = isIPv6(server) ? null : /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(server);
  const address = parts === null ? server : (parts[1] ?? parts[2] ?? '');
  const port = Number(parts?.[3] ?? 53);
  if (isIP(address) === 0 || address.includes('%') || port < 1 || port > 65_535) {
    throw new TypeError(`not the address of a DNS server: ${server}`);
  }
  return { address, port };
}

function errnoOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
