import type { SrvData } from 'dns-packet';
import { queryAddresses, queryRecords } from './address-query.ts';
import type { AddressReply } from './address-query.ts';
import { DnsClient, isTransient } from './dns-client.ts';
import type { DnsFailure, DnsRecordType, DnsReply } from './dns-client.ts';
import { deadline, unresolved } from './lookup.ts';
import type { Answer, Lookup } from './lookup.ts';
import { candidates, readResolvConf } from './resolv-conf.ts';

/** Where an instance of a service is. */
export interface Endpoint {
  /** The service's name, without its port. */
  readonly host: string;
  /** An ip literal. */
  readonly address: string;
  readonly port: number;
  /** Relative, no unit, > 0. */
  readonly weight: number;
  /** Endpoints of the highest number are used first. */
  readonly priority: number;
}

/** `last` is the type that the service was last found by. */
export type ServiceOrder = 'last' | DnsRecordType;

export interface ServiceLookupOptions {
  /** DNS servers as `ip`, `ip:port` or `[ip6]:port`; with them there is no search list. Default: those of `resolvConf`. */
  readonly servers?: readonly string[];
  /** Default `/etc/resolv.conf`. Read once, also for its search list. */
  readonly resolvConf?: string;
  /** The kinds of records to try, in this order. Default last, SRV, A, AAAA, CNAME. */
  readonly order?: readonly ServiceOrder[];
  /** Ask for IPv6 addresses where a target of an SRV record has no IPv4 ones. Default true. */
  readonly ipv6?: boolean;
  /** Milliseconds for a whole look-up; 0 is no limit beyond those of its queries. Default 5000. */
  readonly timeoutMs?: number;
  /** Milliseconds until one query to one server is given up. Default 2000. */
  readonly queryTimeoutMs?: number;
  /** Queries to a silent server before it is given up. Default 2. */
  readonly tries?: number;
}

const ORDER: readonly ServiceOrder[] = ['last', 'SRV', 'A', 'AAAA', 'CNAME'];

/** Aliases followed one after the other before it is taken for a circle. */
const MOST_ALIASES = 8;

/**
 * Finds the instances of services by DNS, as the reference's `dns` discovery does. A service is `name` or `name:port`:
 * SRV records have ports of their own, A and AAAA records take that of the name. A record SRV of weight 0 counts as 1,
 * and a lower SRV priority becomes a higher one here. The hosts file is not asked.
 */
export function createServiceLookup(options: ServiceLookupOptions): Lookup<Endpoint> {
  const { order = ORDER, ipv6 = true, timeoutMs = 5000 } = options;
  const machine = readResolvConf(options.resolvConf ?? '/etc/resolv.conf');
  const client = new DnsClient({ ...options, servers: options.servers ?? machine.servers });
  const search = options.servers === undefined ? machine.search : [];
  /** By service. */
  const lastTypes = new Map<string, DnsRecordType>();

  return async function lookUp(service) {
    const { name, port } = splitService(service);
    const attempt = new ServiceSearch(client, { name, port }, ipv6, deadline(timeoutMs));
    const types = orderFor(order, lastTypes.get(service));
    for (const candidate of candidates(name, { search, minDots: machine.minDots })) {
      const found = await attempt.find(candidate, types);
      if (found !== undefined) {
        lastTypes.set(service, found.type);
        return found.answer;
      }
      if (attempt.isUnanswered) break;
    }
    throw unresolved('service', service, attempt.failures, client);
  };
}

function orderFor(order: readonly ServiceOrder[], last: DnsRecordType | undefined): readonly DnsRecordType[] {
  const types = order.flatMap((type) => (type === 'last' ? (last ?? []) : type));
  return [...new Set(types)];
}

interface Found {
  readonly type: DnsRecordType;
  readonly answer: Answer<Endpoint>;
}

type EndpointsReply = Answer<Endpoint> | { readonly failure: DnsFailure };

/** One look-up of one service. */
class ServiceSearch {
  readonly failures: DnsFailure[] = [];
  readonly #client: DnsClient;
  readonly #service: ServiceName;
  readonly #ipv6: boolean;
  readonly #signal: AbortSignal;

  constructor(client: DnsClient, service: ServiceName, ipv6: boolean, signal: AbortSignal) {
    this.#client = client;
    this.#service = service;
    this.#ipv6 = ipv6;
    this.#signal = signal;
  }

  /** The last query got no answer from anybody. */
  get isUnanswered(): boolean {
    return this.failures.at(-1)?.isAnswered === false;
  }

  async find(name: string, types: readonly DnsRecordType[], aliases = 0): Promise<Found | undefined> {
    for (const type of types) {
      const reply =
        type === 'CNAME' ? await this.#byAlias(name, types, aliases) : await this.#byRecords(name, type);
      if (reply === undefined) return undefined;
      if (!('failure' in reply)) return { type, answer: reply };
      this.failures.push(reply.failure);
      if (isTransient(reply.failure)) return undefined;
    }
    return undefined;
  }

  /** For servers that do not follow an alias themselves. @returns undefined when the failure is recorded already. */
  async #byAlias(
    name: string,
    types: readonly DnsRecordType[],
    aliases: number,
  ): Promise<EndpointsReply | undefined> {
    const reply = await this.#client.query(name, 'CNAME', this.#signal);
    if ('failure' in reply) return reply;
    const [alias] = reply.records;
    if (alias === undefined || alias.type === 'SRV' || aliases === MOST_ALIASES) {
      return { failure: { reason: `more than ${MOST_ALIASES} aliases`, isAnswered: true } };
    }
    const found = await this.find(alias.data, types, aliases + 1);
    if (found === undefined) return undefined;
    const { addresses, ttlSeconds } = found.answer;
    return { addresses, ttlSeconds: Math.min(ttlSeconds, reply.ttlSeconds) };
  }

  async #byRecords(name: string, type: 'A' | 'AAAA' | 'SRV'): Promise<EndpointsReply> {
    if (type === 'SRV') {
      const reply = await this.#client.query(name, type, this.#signal);
      return 'failure' in reply ? reply : this.#readServices(reply);
    }
    const reply = await queryRecords(this.#client, name, type, this.#signal);
    if ('failure' in reply) return reply;
    const { name: host, port } = this.#service;
    if (port === undefined) return { failure: { reason: 'NOPORT', isAnswered: true } };
    const addresses = reply.addresses.map((address) => ({ host, address, port, weight: 1, priority: 0 }));
    return { addresses, ttlSeconds: reply.ttlSeconds };
  }

  /** A target that does not exist is left out; one that may exist fails the look-up, so that what was found before stays. */
  async #readServices(reply: Exclude<DnsReply, { failure: DnsFailure }>): Promise<EndpointsReply> {
    const endpoints: Endpoint[] = [];
    let { ttlSeconds } = reply;
    let failure: DnsFailure = { reason: 'NOTARGET', isAnswered: true };
    for (const record of reply.records) {
      // As in the reference, port 0 is none.
      if (record.type !== 'SRV' || record.data.port === 0 || isRoot(record.data.target)) continue;
      const found = await this.#addressesOf(record.data.target, reply);
      if ('failure' in found) {
        if (isTransient(found.failure)) return found;
        failure = found.failure;
        continue;
      }
      ttlSeconds = Math.min(ttlSeconds, found.ttlSeconds);
      endpoints.push(...toEndpoints(this.#service.name, record.data, found.addresses));
    }
    if (endpoints.length === 0) return { failure };
    return { addresses: merged(endpoints), ttlSeconds };
  }

  /** Those that came with the answer, else by a query of their own. */
  async #addressesOf(
    target: string,
    { additionals }: Exclude<DnsReply, { failure: DnsFailure }>,
  ): Promise<AddressReply> {
    const sent = additionals.flatMap((record) =>
      record.type === 'A' && record.name.toLowerCase() === target.toLowerCase() ? [record] : [],
    );
    if (sent.length === 0) return queryAddresses(this.#client, target, this.#ipv6, this.#signal);
    return {
      addresses: sent.map(({ data }) => data),
      ttlSeconds: Math.min(...sent.map(({ ttl }) => ttl ?? 0)),
    };
  }
}

/** "The service is decidedly not available at this domain" (RFC 2782). */
function isRoot(target: string): boolean {
  return target === '.' || target === '';
}

/** The addresses of one target share its weight. */
function toEndpoints(
  host: string,
  { port, priority, weight }: SrvData,
  addresses: readonly string[],
): readonly Endpoint[] {
  const share = (weight || 1) / addresses.length;
  return addresses.map((address) => ({ host, address, port, weight: share, priority: 0 - (priority ?? 0) }));
}

/** Two records for one address and port are one endpoint: with the better priority, and the weights it has there. */
function merged(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const byPlace = new Map<string, Endpoint>();
  for (const endpoint of endpoints.toSorted(inPlace)) {
    const place = `${endpoint.address} ${endpoint.port}`;
    const former = byPlace.get(place);
    if (former === undefined) byPlace.set(place, endpoint);
    else if (former.priority === endpoint.priority) {
      byPlace.set(place, { ...former, weight: former.weight + endpoint.weight });
    }
  }
  return [...byPlace.values()];
}

/** By priority, then address, then port: servers rotate their answers, and a rotation is not a change. */
function inPlace(a: Endpoint, b: Endpoint): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return a.port - b.port || a.weight - b.weight;
}

interface ServiceName {
  readonly name: string;
  readonly port: number | undefined;
}

/** `name` or `name:port`. What is neither stays a name, and is not found. */
function splitService(service: string): ServiceName {
  const [, name, digits] = /^(.*):(\d{1,5})$/.exec(service) ?? [];
  const port = Number(digits);
  return name !== undefined && port >= 1 && port <= 65_535
    ? { name, port }
    : { name: service, port: undefined };
}
