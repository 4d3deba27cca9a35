import type { Document, ResourceKind } from '@apisix-ts/config';
import { isObject } from '../patch.ts';
import { documentOf, itemsOf, keyOf, versionKey } from './collections.ts';
import type { Collection } from './collections.ts';

/** A resource as it is in effect. */
interface KeptResource {
  /** What a later item has to say to mean this very version. */
  readonly modifiedIndex: number;
  /** For the store. */
  readonly text: string;
}

interface KeptCollection {
  readonly version: number;
  /** As it was sent; undefined when it was not. */
  readonly sent: unknown;
  /** By their keys in the store. */
  readonly resources: ReadonlyMap<string, KeptResource>;
}

/** A whole configuration, by the names of its collections. Those that are not there are empty, at version 0. */
export type KeptConfiguration = ReadonlyMap<string, KeptCollection>;

const nothing: KeptCollection = { version: 0, sent: undefined, resources: new Map() };

/**
 * What is kept after `configuration` was sent, with APISIX's rules. A collection whose version is the one that is kept
 * stays; a higher version replaces it; without a version it is replaced and its version grows by one, so one that is
 * left out is emptied. An item with the `modifiedIndex` of the one that is kept leaves that as it is.
 * @param configuration without faults.
 */
export function nextConfiguration(
  kept: KeptConfiguration,
  configuration: Document,
  collections: readonly Collection[],
): { readonly next: KeptConfiguration } | { readonly wrong: string } {
  const next = new Map<string, KeptCollection>();
  for (const collection of collections) {
    const former = kept.get(collection.name) ?? nothing;
    const key = versionKey(collection);
    const version = Number(configuration[key] ?? former.version + 1);
    if (version < former.version) {
      return { wrong: `${key} must be greater than or equal to (${former.version})` };
    }
    const isKept = version === former.version;
    next.set(collection.name, isKept ? former : replaced(former, version, configuration, collection));
  }
  return { next };
}

/** What the store holds then. */
export function storedValues(kept: KeptConfiguration): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { resources } of kept.values()) {
    for (const [key, { text }] of resources) values.set(key, text);
  }
  return values;
}

/** What was sent, and the versions of all collections. */
export function shownConfiguration(kept: KeptConfiguration, collections: readonly Collection[]): Document {
  return Object.fromEntries(
    collections.flatMap((collection) => {
      const { sent, version } = kept.get(collection.name) ?? nothing;
      return [...(sent === undefined ? [] : [[collection.name, sent]]), [versionKey(collection), version]];
    }),
  );
}

function replaced(
  former: KeptCollection,
  version: number,
  configuration: Document,
  collection: Collection,
): KeptCollection {
  const { name, kind } = collection;
  const items = itemsOf(configuration, collection) ?? [];
  const resources =
    kind === undefined ? listAsOne(name, version, items) : resourcesOf(kind, version, items, former);
  return { version, sent: configuration[name], resources };
}

function resourcesOf(
  kind: ResourceKind,
  version: number,
  items: readonly unknown[],
  former: KeptCollection,
): KeptCollection['resources'] {
  const resources = new Map<string, KeptResource>();
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) continue;
    const key = keyOf(kind, item, index);
    const { modifiedIndex } = item;
    const before = former.resources.get(key);
    const isSame = before !== undefined && modifiedIndex === before.modifiedIndex;
    resources.set(
      key,
      isSame
        ? before
        : { modifiedIndex: Number(modifiedIndex ?? version), text: JSON.stringify(documentOf(item)) },
    );
  }
  return resources;
}

/** The list of plugins has one key in APISIX's layout. */
function listAsOne(key: string, version: number, items: readonly unknown[]): KeptCollection['resources'] {
  if (items.length === 0) return new Map();
  return new Map([[key, { modifiedIndex: version, text: JSON.stringify(items) }]]);
}
