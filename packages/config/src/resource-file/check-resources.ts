import { checkWritten, pluginReferencesOf, referencesOf, resourceKinds } from '../resources/index.ts';
import type { CheckContext, ResourceKind } from '../resources/index.ts';
import { isMap } from '../source/key-path.ts';
import type { KeyPath } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';
import { findFaults } from '../validate/index.ts';
import type { ResourceItem } from './collect-items.ts';
import type { ResourceFile } from './resource-file.ts';

export interface CheckResourcesOptions {
  /** The plugins and balancers there are. */
  readonly context: CheckContext;
  /** `apisix.data_encryption.keyring`: what opens private keys that are encrypted. */
  readonly keyring: readonly string[];
}

/**
 * Everything that is wrong with a file of resources: what cannot become one, ids that are written twice, each
 * resource by its schema and its kind's own rules, and what it names that the file does not have.
 */
export function findResourceProblems(file: ResourceFile, options: CheckResourcesOptions): readonly Problem[] {
  const byKey = new Map(file.items.map((item) => [item.key, item]));
  return [
    ...file.problems,
    ...file.duplicates,
    ...file.items.flatMap((item) => {
      const kind = resourceKinds.find(({ segment }) => segment === item.kind);
      if (kind === undefined) return [];
      return [...findItemProblems(kind, item, file, options), ...findDangling(kind, item, byKey)];
    }),
  ];
}

function findItemProblems(
  kind: ResourceKind,
  item: ResourceItem,
  { source }: ResourceFile,
  { context, keyring }: CheckResourcesOptions,
): readonly Problem[] {
  if (!isMap(item.value)) {
    return [invalid(`${item.key}: a resource must be a map`, item.path, 'a map')];
  }
  const document = { ...item.value, id: item.id };
  const faults = findFaults(kind.schema, document);
  if (faults.length > 0) {
    return faults.map(({ message, path, expected }) =>
      invalid(`${item.key}: invalid configuration: ${message}`, [...item.path, ...path], expected),
    );
  }
  const checked = checkWritten(kind, document, context, keyring);
  if (checked.ok) return [];
  const at = source.locate(item.path);
  const text = `${item.key}: ${checked.message}`;
  return [{ code: 'RESOURCE_INVALID', text, path: [], ...(at !== undefined && { at }) }];
}

/** What the item names, and the file does not have or cannot offer. */
function findDangling(
  kind: ResourceKind,
  { key, id, path, value }: ResourceItem,
  byKey: ReadonlyMap<string, ResourceItem>,
): readonly Problem[] {
  if (!isMap(value)) return [];
  const problems: Problem[] = [];
  for (const reference of [...referencesOf(kind, value), ...pluginReferencesOf(value)]) {
    const target = resourceKinds.find(({ segment }) => segment === reference.segment);
    const word = target?.word ?? reference.segment;
    const named = byKey.get(`${reference.segment}/${reference.id}`);
    const reason = named === undefined ? 'the file has none' : unfit(target, named);
    if (reason === undefined) continue;
    const text = `${key}: names the ${word} ${reference.id}: ${reason}`;
    problems.push(invalid(text, [...path, ...reference.path], `the id of a fitting ${word}`));
  }
  const [consumer] = id.split('/');
  if (kind.segment === 'credentials' && !byKey.has(`consumers/${consumer}`)) {
    problems.push(
      invalid(
        `${key}: belongs to the consumer ${consumer}: the file has none`,
        [...path, 'id'],
        'the id of a consumer first',
      ),
    );
  }
  return problems;
}

function unfit(kind: ResourceKind | undefined, { value }: ResourceItem): string | undefined {
  return isMap(value) ? kind?.unfit?.(value) : undefined;
}

function invalid(text: string, path: KeyPath, expected: string | undefined): Problem {
  return { code: 'RESOURCE_INVALID', text, path, ...(expected !== undefined && { expected }) };
}
