import { GatewayError } from '@apisix-ts/errors';
import type { DnsClient, DnsFailure } from './dns-client.ts';

/** What a name stands for, and for how long. */
export interface Answer<Address = string> {
  /** At least one, in an order that does not depend on the server's, each once. */
  readonly addresses: readonly Address[];
  /** Seconds until the answer has to be asked for again; ≥ 0. */
  readonly ttlSeconds: number;
}

/**
 * Finds the addresses of a name: ip literals for a host's.
 * @throws GatewayError `UPSTREAM_NAME_UNRESOLVED` when there is none, or nobody answered.
 */
export type Lookup<Address = string> = (name: string) => Promise<Answer<Address>>;

/** For one look-up. @param timeoutMs milliseconds; 0 is none. */
export function deadline(timeoutMs: number): AbortSignal {
  return timeoutMs === 0 ? new AbortController().signal : AbortSignal.timeout(timeoutMs);
}

/** @param kind of name: `node`, for instance. */
export function unresolved(
  kind: string,
  name: string,
  failures: readonly DnsFailure[],
  { servers }: Pick<DnsClient, 'servers'>,
): GatewayError {
  const reasons = [...new Set(failures.map(({ reason }) => REASONS[reason] ?? reason))].join('; ');
  return new GatewayError(
    'UPSTREAM_NAME_UNRESOLVED',
    `the ${kind} name "${name}" has no address: ${reasons} (asked ${servers.join(', ')})`,
    { detail: { name, servers, reasons: failures.map(({ reason }) => reason) } },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  NXDOMAIN: 'the name does not exist',
  NODATA: 'the name has no such record',
  NOPORT: 'the name has addresses and no port: it takes an SRV record, or a port in service_name',
  NOTARGET: 'its SRV record says that the service is not available',
  ETIMEDOUT: 'no answer in time',
  ECONNREFUSED: 'no DNS server is listening',
  SERVFAIL: 'the DNS server failed',
  REFUSED: 'the DNS server refused the query',
  EBADNAME: 'that is not a host name',
};
