import { refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import type { StoredDocument } from './resource-store.ts';

/** The version of a stored resource, as answers and `If-Match` have it. */
export function etagOf({ modRevision }: Pick<StoredDocument, 'modRevision'>): string {
  return `"${modRevision}"`;
}

/**
 * Does `If-Match` hold: is it `*` for anything there is, or does it list the version (RFC 9110 section 13.1.1)?
 * @param header undefined: there was none, and it holds.
 */
export function isMatch(header: string | undefined, stored: StoredDocument | undefined): boolean {
  if (header === undefined) return true;
  if (stored === undefined) return false;
  const etags = new Set(header.split(',').map((etag) => etag.trim()));
  return etags.has('*') || etags.has(etagOf(stored));
}

export const mismatch: Answer = refuse(412, 'the resource is not the one that If-Match names');
