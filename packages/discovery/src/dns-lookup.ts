import { inOrder, queryAddresses } from './address-query.ts';
import { DnsClient } from './dns-client.ts';
import type { DnsFailure } from './dns-client.ts';
import { HostsFile } from './hosts-file.ts';
import { deadline, unresolved } from './lookup.ts';
import type { Lookup } from './lookup.ts';
import { candidates, readResolvConf } from './resolv-conf.ts';

export interface DnsLookupOptions {
  /** DNS servers as `ip`, `ip:port` or `[ip6]:port`. Default: those of `resolvConf`. */
  readonly servers?: readonly string[];
  /** Seconds an answer is kept, in place of its own TTL. */
  readonly validSeconds?: number;
  /** Milliseconds for a whole look-up; 0 is no limit beyond those of its queries. Default 5000. */
  readonly timeoutMs?: number;
  /** Milliseconds until one query to one server is given up. Default 2000. */
  readonly queryTimeoutMs?: number;
  /** Queries to a silent server before it is given up. Default 2. */
  readonly tries?: number;
  /** Ask for IPv6 addresses where a name has no IPv4 ones. Default true. */
  readonly ipv6?: boolean;
  /** Suffixes to try for a name (resolv.conf(5) `search`). Default: those of `resolvConf`; empty is none. */
  readonly search?: readonly string[];
  /** Default `/etc/resolv.conf`. Read once. */
  readonly resolvConf?: string;
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string;
}

/** Seconds an answer of the hosts file is kept: it is only a stat(2) to ask again. */
const HOSTS_TTL_SECONDS = 1;

/**
 * Looks names up as the reference does: the hosts file, then A, then AAAA. A name with few dots tries the search
 * suffixes first, any other name tries them last; a server that does not answer ends the search, so that its silence
 * never makes another name out of one.
 */
export function createDnsLookup(options: DnsLookupOptions = {}): Lookup {
  const { validSeconds, timeoutMs = 5000, ipv6 = true, hostsFile = '/etc/hosts' } = options;
  const machine = readResolvConf(options.resolvConf ?? '/etc/resolv.conf');
  const client = new DnsClient({ ...options, servers: options.servers ?? machine.servers });
  const { search = machine.search } = options;
  const hosts = new HostsFile(hostsFile);

  return async function lookUp(name) {
    const listed = await hosts.find(name);
    if (listed !== undefined) {
      const addresses = listed.ipv4.length > 0 || !ipv6 ? listed.ipv4 : listed.ipv6;
      if (addresses.length > 0) return { addresses: inOrder(addresses), ttlSeconds: HOSTS_TTL_SECONDS };
    }

    const signal = deadline(timeoutMs);
    const failures: DnsFailure[] = [];
    for (const candidate of candidates(name, { search, minDots: machine.minDots })) {
      const reply = await queryAddresses(client, candidate, ipv6, signal);
      if (!('failure' in reply)) {
        return { addresses: reply.addresses, ttlSeconds: validSeconds ?? reply.ttlSeconds };
      }
      failures.push(reply.failure);
      if (!reply.failure.isAnswered) break;
    }
    throw unresolved('node', name, failures, client);
  };
}
