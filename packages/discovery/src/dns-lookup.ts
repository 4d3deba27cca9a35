import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { GatewayError } from '@apisix-ts/errors';
import { HostsFile } from './hosts-file.ts';
import type { Answer, Lookup } from './lookup.ts';

export interface DnsLookupOptions {
  /** DNS servers as `ip`, `ip:port` or `[ip6]:port`. Default: the machine's (`/etc/resolv.conf`). */
  readonly servers?: readonly string[];
  /** Seconds an answer is kept, in place of its own TTL. */
  readonly validSeconds?: number;
  /** Milliseconds until one query to one server is given up. Default 2000. */
  readonly timeoutMs?: number;
  /** Queries per server before it is given up. Default 2. */
  readonly tries?: number;
  /** Ask for IPv6 addresses where a name has no IPv4 ones. Default true. */
  readonly ipv6?: boolean;
  /** Suffixes to try for a name (resolv.conf(5) `search`). Default: the machine's; empty is none. */
  readonly search?: readonly string[];
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string;
}

/** Seconds an answer of the hosts file is kept: it is only a stat(2) to ask again. */
const HOSTS_TTL_SECONDS = 1;

/**
 * Looks names up as the reference does: the hosts file, then A, then AAAA. A name without a dot tries the search
 * suffixes first, any other name tries them last.
 */
export function createDnsLookup(options: DnsLookupOptions = {}): Lookup {
  const { validSeconds, timeoutMs = 2000, tries = 2, ipv6 = true, hostsFile = '/etc/hosts' } = options;
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (options.servers !== undefined) resolver.setServers(options.servers.map(withPort));
  const search = options.search ?? machineSearchList();
  const hosts = new HostsFile(hostsFile);

  return async function lookUp(name) {
    const listed = await hosts.find(name);
    if (listed !== undefined) {
      const addresses = listed.ipv4.length > 0 || !ipv6 ? listed.ipv4 : listed.ipv6;
      if (addresses.length > 0) return { addresses: tidy(addresses), ttlSeconds: HOSTS_TTL_SECONDS };
    }

    const failures: unknown[] = [];
    for (const candidate of candidates(name, search)) {
      try {
        const answer = await resolve(resolver, candidate, ipv6);
        return { addresses: answer.addresses, ttlSeconds: validSeconds ?? answer.ttlSeconds };
      } catch (error) {
        failures.push(error);
      }
    }
    throw unresolved(name, failures, resolver.getServers());
  };
}

async function resolve(resolver: Resolver, name: string, ipv6: boolean): Promise<Answer> {
  try {
    return toAnswer(await resolver.resolve4(name, { ttl: true }));
  } catch (error) {
    if (!ipv6) throw error;
    try {
      return toAnswer(await resolver.resolve6(name, { ttl: true }));
    } catch {
      // The first failure says more: a name without any record fails the same way twice.
      throw error;
    }
  }
}

function toAnswer(records: readonly { address: string; ttl: number }[]): Answer {
  return {
    addresses: tidy(records.map(({ address }) => address)),
    ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)),
  };
}

/** Sorted, because servers rotate their answers and a rotation is not a change. */
function tidy(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort();
}

function candidates(name: string, search: readonly string[]): readonly string[] {
  if (name.endsWith('.')) return [name];
  const suffixed = search.map((suffix) => `${name}.${suffix}`);
  return name.includes('.') ? [name, ...suffixed] : [...suffixed, name];
}

function unresolved(name: string, failures: readonly unknown[], servers: readonly string[]): GatewayError {
  const reasons = [...new Set(failures.map(reasonOf))].join('; ');
  return new GatewayError(
    'UPSTREAM_NAME_UNRESOLVED',
    `the node name "${name}" has no address: ${reasons} (asked ${servers.join(', ') || 'no server'})`,
    { cause: failures.at(-1), detail: { name, servers } },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not exist',
  ENODATA: 'the name has no address record',
  ETIMEOUT: 'no answer in time',
  ECONNREFUSED: 'no DNS server is listening',
  ESERVFAIL: 'the DNS server failed',
  EREFUSED: 'the DNS server refused the query',
  EBADNAME: 'that is not a host name',
};

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return REASONS[code] ?? code;
}

/** Node takes `[ip6]:port` and `ip4:port`; a bare IPv6 address needs no brackets, but may come in them. */
function withPort(server: string): string {
  return server.startsWith('[') && server.endsWith(']') ? server.slice(1, -1) : server;
}

function machineSearchList(): readonly string[] {
  try {
    const lines = readFileSync('/etc/resolv.conf', 'utf8').split('\n');
    const last = lines.findLast((line) => /^(search|domain)\s/.test(line));
    return last === undefined ? [] : last.trim().split(/\s+/).slice(1);
  } catch {
    // A machine without the file has no search list.
    return [];
  }
}
