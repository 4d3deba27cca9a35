import { answer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { StoredDocument } from './resource-store.ts';

/** GET of one resource. */
export function one(stored: StoredDocument): Answer {
  return answer(200, shown(stored));
}

/**
 * GET of a collection.
 * @param total how many passed the filters, on all pages.
 */
export function list(total: number, page: readonly StoredDocument[]): Answer {
  return answer(200, { total, list: page.map(shown) });
}

/** PUT, POST and PATCH: no indexes. */
export function written(
  status: 200 | 201,
  { key, document }: Pick<StoredDocument, 'key' | 'document'>,
): Answer {
  return answer(status, { key, value: document });
}

export function deleted(key: string): Answer {
  return answer(200, { deleted: '1', key });
}

/** The field is `message`, not `error_msg`. */
export const notFound: Answer = answer(404, { message: 'Key not found' });

function shown({ key, document, createRevision, modRevision }: StoredDocument): unknown {
  return { key, value: document, createdIndex: createRevision, modifiedIndex: modRevision };
}
