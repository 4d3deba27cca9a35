import { parseNumber } from './numbers.ts';

export interface Page {
  /** Items to skip. */
  readonly offset: number;
  readonly size: number;
}

export type PageRequest = { readonly page: Page | undefined } | { readonly wrong: string };

/** Paging is on when both `page` and `page_size` are numbers. A page before the first is the first. */
export function parsePage(query: URLSearchParams): PageRequest {
  const page = parseNumber(query.get('page'));
  const size = parseNumber(query.get('page_size'));
  if (page === undefined || size === undefined) return { page: undefined };
  if (size < 10 || size > 500) return { wrong: 'page_size must be between 10 and 500' };
  const whole = Math.floor(size);
  return { page: { offset: (Math.max(1, Math.floor(page)) - 1) * whole, size: whole } };
}

/** The items of one page, oldest first; all of them in their order when paging is off. */
export function takePage<T extends { readonly createRevision: number }>(
  items: readonly T[],
  page: Page | undefined,
): readonly T[] {
  if (page === undefined) return items;
  const byAge = items.toSorted((a, b) => a.createRevision - b.createRevision);
  return byAge.slice(page.offset, page.offset + page.size);
}
