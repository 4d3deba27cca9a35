import { idText, placeOfKey } from '@apisix-ts/config';
import type { Document, ResourceKind } from '@apisix-ts/config';
import { rulesFor } from '../kind-rules.ts';
import { isObject } from '../patch.ts';

/** One of the lists that a whole configuration consists of. */
export interface Collection {
  /** `routes`; beside it, `routes_conf_version` is its version. */
  readonly name: string;
  /** Absent for the list of plugins, which are no resources. */
  readonly kind?: ResourceKind;
}

/** Every kind has one, save those whose resources stand among others: credentials are listed with the consumers. */
export function collectionsOf(kinds: readonly ResourceKind[]): readonly Collection[] {
  return [
    ...kinds
      .filter(({ segment }) => rulesFor(segment).above === undefined)
      .map((kind) => ({ name: kind.segment, kind })),
    { name: 'plugins' },
  ];
}

export function versionKey({ name }: Collection): string {
  return `${name}_conf_version`;
}

/**
 * The items of a collection. Nothing, null and an empty object are none.
 * @returns undefined when what is there is no list.
 */
export function itemsOf(configuration: Document, { name }: Collection): readonly unknown[] | undefined {
  const list = configuration[name] ?? [];
  if (isObject(list) && Object.keys(list).length === 0) return [];
  return Array.isArray(list) ? list : undefined;
}

/** As it was sent; empty when there is none. */
export function idOf(kind: ResourceKind, item: unknown): string {
  if (!isObject(item)) return '';
  const { id, username } = item;
  const found = rulesFor(kind.segment).idFrom === 'username' ? (username ?? id) : id;
  return found === undefined ? '' : idText(found);
}

/**
 * Where the store keeps an item. One without an id is named after its place, as APISIX does.
 * @param index from 0.
 */
export function keyOf(kind: ResourceKind, item: unknown, index: number): string {
  return `${kind.segment}/${idOf(kind, item) || `arr_${index + 1}`}`;
}

/** What an item is: a credential has its consumer's name in its id, `jack/credentials/1`. */
export function kindOf(kind: ResourceKind, key: string, kinds: readonly ResourceKind[]): ResourceKind {
  const { below } = rulesFor(kind.segment);
  const found = placeOfKey(key).kind;
  return (found === below && kinds.find(({ segment }) => segment === below)) || kind;
}

/** The document of an item, without the member that is about its version. */
export function documentOf(item: Document): Document {
  const { modifiedIndex: _, ...document } = item;
  return document;
}
