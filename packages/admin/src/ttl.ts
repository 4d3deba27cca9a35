import type { PutOptions } from '@apisix-ts/config';
import { refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import { parseNumber } from './numbers.ts';

/** The longest lease etcd grants, in seconds. */
const longestSeconds = 9_000_000_000;

/**
 * Reads `?ttl=`. It has to be a number for every method, and a whole one where it is used; 0 and less mean the
 * shortest lease there is, as they do to etcd.
 */
export function parseTtl(
  query: URLSearchParams,
  isWrite: boolean,
): { readonly options: PutOptions } | { readonly refusal: Answer } {
  const text = query.get('ttl');
  if (text === null) return { options: {} };
  const seconds = parseNumber(text);
  if (seconds === undefined) return { refusal: refuse(400, 'invalid argument ttl: should be a number') };
  if (!isWrite) return { options: {} };
  if (!Number.isInteger(seconds)) return { refusal: refuse(503, 'ttl must be integer') };
  if (seconds > longestSeconds) return { refusal: refuse(503, 'too large lease TTL') };
  return { options: { ttlSeconds: Math.max(1, seconds) } };
}
