import type { Document } from '@apisix-ts/config';
import { isObject } from './patch.ts';
import { searchPattern } from './pattern.ts';

interface Listed {
  readonly document: Document;
}

export type Filtered<T> = { readonly items: readonly T[] } | { readonly wrong: string };

/**
 * The items that pass every filter of the query: `name` and `uri` are regular expressions searched for, `label` is the
 * name of a label, `filter` is a query string of its own that compares fields.
 * @param fields what `filter` may compare; others in it are ignored, as is `filter` when there are none.
 */
export async function filterList<T extends Listed>(
  items: readonly T[],
  query: URLSearchParams,
  fields: readonly string[],
): Promise<Filtered<T>> {
  const { wanted, label } = { wanted: wantedFields(query, fields), label: query.get('label') };
  const plain = items.filter(
    ({ document }) =>
      (label === null || hasLabel(document, label)) &&
      wanted.every(([field, value]) => document[field] === value),
  );
  const named = await filterByPattern(plain, 'name', query, (document) => [nameOf(document)]);
  return 'wrong' in named ? named : filterByPattern(named.items, 'uri', query, urisOf);
}

async function filterByPattern<T extends Listed>(
  items: readonly T[],
  argument: string,
  query: URLSearchParams,
  textsOf: (document: Document) => readonly string[],
): Promise<Filtered<T>> {
  const source = query.get(argument);
  if (source === null) return { items };
  const search = await searchPattern(
    source,
    items.flatMap(({ document }) => textsOf(document)),
  );
  if ('wrong' in search) return { wrong: `invalid argument ${argument}: ${search.wrong}` };
  return { items: items.filter(({ document }) => textsOf(document).some((text) => search.found.has(text))) };
}

/** A resource without a name is compared as if it were called `nil`, as in the reference. */
function nameOf({ name }: Document): string {
  return typeof name === 'string' ? name : 'nil';
}

function urisOf({ uri, uris }: Document): readonly string[] {
  const all: readonly unknown[] = [uri, ...(Array.isArray(uris) ? uris : [])];
  return all.filter((text) => typeof text === 'string');
}

function hasLabel({ labels }: Document, label: string): boolean {
  return isObject(labels) && Object.hasOwn(labels, label);
}

function wantedFields(
  query: URLSearchParams,
  fields: readonly string[],
): readonly (readonly [string, string])[] {
  // The last one wins where a field is repeated.
  const wanted = new Map(new URLSearchParams(query.get('filter') ?? ''));
  return [...wanted].filter(([field]) => fields.includes(field));
}
