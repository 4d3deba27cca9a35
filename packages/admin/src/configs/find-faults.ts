import { compileSchema, placeOfKey } from '@apisix-ts/config';
import type { Document, ResourceKind } from '@apisix-ts/config';
import { documentFault } from '../handlers/check-document.ts';
import type { AdminContext } from '../handlers/handler.ts';
import { rulesFor } from '../kind-rules.ts';
import { isObject } from '../patch.ts';
import { documentOf, idOf, itemsOf, keyOf, kindOf, versionKey } from './collections.ts';
import type { Collection } from './collections.ts';

/** What documents are checked with. */
export type CheckingContext = Pick<AdminContext, 'kinds' | 'keyring' | 'fault'>;

export interface Fault {
  readonly resource_type: string;
  readonly resource_id?: string;
  /** In its collection, from 0. */
  readonly index?: number;
  readonly error: string;
}

/** Versions that are no numbers. */
export function versionFaults(configuration: Document, collections: readonly Collection[]): readonly Fault[] {
  return collections.flatMap((collection) => {
    const key = versionKey(collection);
    const version = configuration[key];
    if (version === undefined || typeof version === 'number') return [];
    const type = typeof version === 'object' && version !== null ? 'table' : typeof version;
    return [{ resource_type: collection.name, error: `${key} must be a number, got ${type}` }];
  });
}

/** What is wrong with the items, each by itself, and ids that occur twice. No reference is looked up. */
export function itemFaults(
  configuration: Document,
  collections: readonly Collection[],
  context: CheckingContext,
): readonly Fault[] {
  return collections.flatMap((collection) => {
    const { name, kind } = collection;
    const items = itemsOf(configuration, collection);
    if (items === undefined) return [{ resource_type: name, error: `${name} must be an array` }];
    const seen = new Set<string>();
    return items.flatMap((item, index): readonly Fault[] => {
      if (kind === undefined) return faultsAt(name, '', index, [schemaFault(pluginSchema, item)]);
      const key = keyOf(kind, item, index);
      const errors = [itemFault(kind, key, item, context), duplicateFault(kind, key, seen)];
      return faultsAt(name, idOf(kind, item), index, errors);
    });
  });
}

function faultsAt(
  resource_type: string,
  resource_id: string,
  index: number,
  errors: readonly (string | undefined)[],
): readonly Fault[] {
  return errors
    .filter((error) => error !== undefined)
    .map((error) => ({ resource_type, resource_id, index, error }));
}

const pluginSchema = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1 }, stream: { type: 'boolean' } },
  required: ['name'],
};

const versionedSchema = { type: 'object', properties: { modifiedIndex: { type: 'integer' } } };

function itemFault(
  kind: ResourceKind,
  key: string,
  item: unknown,
  context: CheckingContext,
): string | undefined {
  if (!isObject(item)) return schemaFault(kind.schema, item);
  const { idSegments, missingId } = rulesFor(kind.segment);
  const hasPlace = idSegments === 1 || placeOfKey(key).id.split('/').filter(Boolean).length === idSegments;
  if (!hasPlace) return missingId;
  return (
    schemaFault(versionedSchema, item) ??
    documentFault(kindOf(kind, key, context.kinds), documentOf(item), context)
  );
}

function schemaFault(schema: Readonly<Record<string, unknown>>, item: unknown): string | undefined {
  const checked = compileSchema(schema)(item);
  return checked.ok ? undefined : `invalid configuration: ${checked.message}`;
}

function duplicateFault({ segment }: ResourceKind, key: string, seen: Set<string>): string | undefined {
  if (!seen.has(key)) {
    seen.add(key);
    return undefined;
  }
  const { kind, id } = placeOfKey(key);
  const { below, idFrom } = rulesFor(segment);
  const word = kind === below ? 'credential id' : idFrom === 'username' ? 'username' : 'id';
  return `found duplicate ${word} ${id} in ${segment}`;
}
