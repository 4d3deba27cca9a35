import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import { list, notFound, one } from '../envelope.ts';
import { filterList } from '../filters.ts';
import { rulesFor } from '../kind-rules.ts';
import { parsePage, takePage } from '../pagination.ts';
import type { AdminContext, Handler } from './handler.ts';

/** One resource, or without an id all of them, filtered and paged. Both come from the store, never from a copy. */
export function getResource(kind: ResourceKind, { resources }: AdminContext): Handler {
  const { segment } = kind;
  const { filterFields } = rulesFor(segment);
  return async ({ id, query }) => {
    if (id !== undefined) {
      const stored = await resources.read(segment, id);
      return stored === undefined ? notFound : one(kind, stored);
    }
    const paging = parsePage(query);
    if ('wrong' in paging) return refuse(400, paging.wrong);
    const filtered = filterList(await resources.list(segment), query, filterFields);
    if ('wrong' in filtered) return refuse(400, filtered.wrong);
    return list(kind, filtered.items.length, takePage(filtered.items, paging.page));
  };
}
