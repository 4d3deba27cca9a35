import type { Document, ResourceKind } from '@apisix-ts/config';
import { answer } from './answer.ts';
import type { Answer } from './answer.ts';
import { etagOf } from './if-match.ts';
import { rulesFor } from './kind-rules.ts';
import type { StoredDocument } from './resource-store.ts';

/** The shape of answers about resources. */
export interface Envelope {
  /** The header `X-API-VERSION`. */
  readonly version: 'v2' | 'v3';
  /** Do the arguments of lists count: pages and filters? */
  readonly hasListArguments: boolean;
  /** GET of one resource. */
  one(kind: ResourceKind, stored: StoredDocument): Answer;
  /**
   * GET of a collection.
   * @param key of the collection.
   * @param total how many passed the filters, on all pages.
   */
  list(kind: ResourceKind, key: string, total: number, page: readonly StoredDocument[]): Answer;
  /** PUT, POST and PATCH: no indexes. */
  written(kind: ResourceKind, write: Write, stored: Pick<StoredDocument, 'key' | 'document'>): Answer;
  deleted(key: string): Answer;
}

/** What a request did; a PUT may have created the resource, or not. */
export type Write = 'put-new' | 'put' | 'post' | 'patch';

/** What all answers but those to `admin_api_version: v2` look like. */
export const envelopeV3: Envelope = {
  version: 'v3',
  hasListArguments: true,
  one: (kind, stored) => ({ ...answer(200, shown(kind, stored)), headers: { etag: etagOf(stored) } }),
  list(kind, _key, total, page) {
    const items = page.map((stored) => shown(kind, stored));
    return { status: 200, body: { before: `{"total":${total},"list":[`, items, after: ']}' } };
  },
  written: (kind, write, stored) => answer(statusOf(write), shownWrite(kind, stored)),
  deleted: (key) => answer(200, { deleted: '1', key }),
};

/** The field is `message`, not `error_msg`. */
export const notFound: Answer = answer(404, { message: 'Key not found' });

export function statusOf(write: Write): 200 | 201 {
  return write === 'put-new' || write === 'post' ? 201 : 200;
}

/** A resource with its place and revisions. */
export function shown(
  kind: ResourceKind,
  { key, document, createRevision, modRevision }: StoredDocument,
): object {
  return {
    key,
    value: withoutHidden(kind, document),
    createdIndex: createRevision,
    modifiedIndex: modRevision,
  };
}

/** A resource that was just written. */
export function shownWrite(
  kind: ResourceKind,
  { key, document }: Pick<StoredDocument, 'key' | 'document'>,
): object {
  return { key, value: withoutHidden(kind, document) };
}

function withoutHidden({ segment }: ResourceKind, document: Document): Document {
  const { hidden } = rulesFor(segment);
  if (hidden.length === 0) return document;
  return Object.fromEntries(Object.entries(document).filter(([field]) => !hidden.includes(field)));
}
