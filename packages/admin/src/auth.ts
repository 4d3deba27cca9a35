import { createHash, timingSafeEqual } from 'node:crypto';
import { answer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { AdminRequest } from './request.ts';

/** One entry of `deployment.admin.admin_key`. */
export interface AdminKey {
  /** For the log. */
  readonly name: string;
  /** An empty key opens nothing. */
  readonly key: string;
  /** `viewer` may only GET; every other role may do everything. */
  readonly role: string;
}

/**
 * @param keys undefined switches authentication off.
 * @returns the refusal, or undefined when the request may go on. The first of the `api_key` argument, the `X-API-KEY`
 * header and the `x_api_key` cookie that is present decides; no other is looked at.
 */
export function authenticate(
  request: AdminRequest,
  query: URLSearchParams,
  keys: readonly AdminKey[] | undefined,
): Answer | undefined {
  if (keys === undefined) return undefined;
  const sent = query.get('api_key') ?? request.header('x-api-key') ?? cookie(request, 'x_api_key');
  if (sent === undefined) return unauthorized('missing apikey');
  const entry = keys.find(({ key }) => key !== '' && isSame(key, sent));
  if (entry === undefined) return unauthorized('wrong apikey');
  request.identified(entry.name);
  if (entry.role === 'viewer' && request.method !== 'GET')
    return unauthorized('invalid method for role viewer');
  return undefined;
}

function unauthorized(description: string): Answer {
  return answer(401, { error_msg: 'failed to check token', description });
}

function cookie(request: AdminRequest, name: string): string | undefined {
  for (const pair of (request.header('cookie') ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** Takes the same time wherever the two differ. */
function isSame(key: string, sent: string): boolean {
  return timingSafeEqual(digest(key), digest(sent));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
