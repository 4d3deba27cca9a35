import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import { notFound } from '../envelope.ts';
import { filterList } from '../filters.ts';
import { rulesFor } from '../kind-rules.ts';
import { parsePage, takePage } from '../pagination.ts';
import type { AdminContext, Handler } from './handler.ts';

/** One resource, or without an id all of them, filtered and paged. Both come from the store, never from a copy. */
export function getResource(kind: ResourceKind, { envelope, resources }: AdminContext): Handler {
  const { segment } = kind;
  const { filterFields, idSegments, above } = rulesFor(segment);
  return async ({ directory, id, query: sent }) => {
    if (id !== undefined) {
      const stored = await resources.read(directory, id);
      return stored === undefined ? notFound : envelope().one(kind, stored);
    }
    const query = envelope().hasListArguments ? sent : new URLSearchParams();
    const paging = parsePage(query);
    if ('wrong' in paging) return refuse(400, paging.wrong);
    const all = await resources.list(directory, directory === segment ? idSegments : 1);
    // There is no placeholder below another resource, so to the reference an empty directory is none.
    if (all.length === 0 && above !== undefined) return notFound;
    const filtered = await filterList(all, query, filterFields);
    if ('wrong' in filtered) return refuse(400, filtered.wrong);
    const page = takePage(filtered.items, paging.page);
    return envelope().list(kind, resources.keyOf(directory), filtered.items.length, page);
  };
}
