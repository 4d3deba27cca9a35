import { isTransient } from './dns-client.ts';
import type { DnsClient, DnsFailure } from './dns-client.ts';

/** The addresses of a host by DNS, or why there are none. */
export type AddressReply =
  | { readonly addresses: readonly string[]; readonly ttlSeconds: number }
  | { readonly failure: DnsFailure };

/** Asks for A, and for AAAA where the host has none. Silence about A is not taken for absence. */
export async function queryAddresses(
  client: DnsClient,
  name: string,
  ipv6: boolean,
  signal: AbortSignal,
): Promise<AddressReply> {
  const first = await queryRecords(client, name, 'A', signal);
  if (!('failure' in first) || !ipv6 || isTransient(first.failure)) return first;
  const second = await queryRecords(client, name, 'AAAA', signal);
  // Of two failures the first says more: a name without any record fails the same way twice.
  return 'failure' in second && !isTransient(second.failure) ? first : second;
}

/** The addresses that the records of one type give. */
export async function queryRecords(
  client: DnsClient,
  name: string,
  type: 'A' | 'AAAA',
  signal: AbortSignal,
): Promise<AddressReply> {
  const reply = await client.query(name, type, signal);
  if ('failure' in reply) return reply;
  const addresses = reply.records.flatMap((record) => (record.type === 'SRV' ? [] : [record.data]));
  return { addresses: inOrder(addresses), ttlSeconds: reply.ttlSeconds };
}

/** Sorted, because servers rotate their answers and a rotation is not a change; each once. */
export function inOrder(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort();
}
