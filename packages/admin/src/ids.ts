import { idText } from '@apisix-ts/config';
import type { Document } from '@apisix-ts/config';
import type { KindRules } from './kind-rules.ts';

export type SettledId = { readonly id: unknown } | { readonly wrong: string };

/**
 * The id that a PUT or a PATCH writes: for most kinds the one in the URL, or else the one in the body as it is given
 * there. Whether it is a permitted id is left to the schema.
 * @param word the kind's word in messages.
 */
export function settleId(
  word: string,
  { idFrom, missingId = `missing ${word} id` }: Pick<KindRules, 'idFrom' | 'missingId'>,
  urlId: string | undefined,
  document: Document,
): SettledId {
  if (idFrom === 'username') return settleUsername(urlId, document);
  const bodyId = idFrom === 'path' ? undefined : document['id'];
  if (urlId === undefined) return bodyId === undefined ? { wrong: missingId } : { id: bodyId };
  if (bodyId !== undefined && idText(bodyId) !== urlId) return { wrong: `wrong ${word} id` };
  return { id: urlId };
}

/** One that is missing or no text is left to the schema. */
function settleUsername(urlId: string | undefined, { username }: Document): SettledId {
  const isWrong = urlId !== undefined && typeof username === 'string' && username !== urlId;
  return isWrong ? { wrong: 'wrong username' } : { id: username ?? urlId ?? '' };
}

/** What is wrong with the request for a generated id, or undefined. */
export function wrongIdForPost(
  word: string,
  urlId: string | undefined,
  document: Document,
): string | undefined {
  const hasId = urlId !== undefined || document['id'] !== undefined;
  return hasId ? `wrong ${word} id, do not need it` : undefined;
}

/** A generated id: the store's revision in 20 digits, so that ids sort by age. */
export function idFromRevision(revision: number): string {
  return String(revision).padStart(20, '0');
}
