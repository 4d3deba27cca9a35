import type { Document, ResourceKind } from '@apisix-ts/config';
import { answer } from './answer.ts';
import type { Answer } from './answer.ts';
import { etagOf } from './if-match.ts';
import { rulesFor } from './kind-rules.ts';
import type { StoredDocument } from './resource-store.ts';

/** GET of one resource. */
export function one(kind: ResourceKind, stored: StoredDocument): Answer {
  return { ...answer(200, shown(kind, stored)), headers: { etag: etagOf(stored) } };
}

/**
 * GET of a collection.
 * @param total how many passed the filters, on all pages.
 */
export function list(kind: ResourceKind, total: number, page: readonly StoredDocument[]): Answer {
  const items = page.map((stored) => shown(kind, stored));
  return { status: 200, body: { before: `{"total":${total},"list":[`, items, after: ']}' } };
}

/** PUT, POST and PATCH: no indexes. */
export function written(
  kind: ResourceKind,
  status: 200 | 201,
  { key, document }: Pick<StoredDocument, 'key' | 'document'>,
): Answer {
  return answer(status, { key, value: withoutHidden(kind, document) });
}

export function deleted(key: string): Answer {
  return answer(200, { deleted: '1', key });
}

/** The field is `message`, not `error_msg`. */
export const notFound: Answer = answer(404, { message: 'Key not found' });

function shown(kind: ResourceKind, { key, document, createRevision, modRevision }: StoredDocument): unknown {
  return {
    key,
    value: withoutHidden(kind, document),
    createdIndex: createRevision,
    modifiedIndex: modRevision,
  };
}

function withoutHidden({ segment }: ResourceKind, document: Document): Document {
  const { hidden } = rulesFor(segment);
  if (hidden.length === 0) return document;
  return Object.fromEntries(Object.entries(document).filter(([field]) => !hidden.includes(field)));
}
