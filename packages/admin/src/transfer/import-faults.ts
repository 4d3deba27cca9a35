import { checkResource, findFaults, pluginReferencesOf, referencesOf } from '@apisix-ts/config';
import type { CheckContext, Document, ResourceKind } from '@apisix-ts/config';
import { claimsOf } from '../duplicates.ts';
import type { ImportFault } from './import-report.ts';
import type { Draft, StoredResource } from './plan-import.ts';

interface FaultOptions {
  readonly kinds: readonly ResourceKind[];
  readonly checkContext: CheckContext;
}

/** @param staying what is in the store and neither imported nor deleted. */
export function findImportFaults(
  drafts: readonly Draft[],
  staying: readonly StoredResource[],
  { kinds, checkContext }: FaultOptions,
): readonly ImportFault[] {
  const result = new Map<string, Document | undefined>([
    ...staying.map(({ key, document }) => [key, document] as const),
    ...drafts.map(({ key, document }) => [key, document] as const),
  ]);
  const context: CheckContext = { ...checkContext, isStored: true };
  return [
    ...drafts.flatMap((draft) => [...ownFaults(draft, context), ...missingNames(draft, result, kinds)]),
    ...repeatedClaims(drafts, staying),
  ];
}

/** By its schema and its kind's own rules. */
function ownFaults({ key, kind, id, document }: Draft, context: CheckContext): readonly ImportFault[] {
  const whole = { ...document, id };
  const faults = findFaults(kind.schema, whole);
  if (faults.length > 0) {
    return faults.map(({ message, path }) => ({
      key,
      path,
      message: `${key}: invalid configuration: ${message}`,
    }));
  }
  const checked = checkResource(kind, whole, context);
  return checked.ok ? [] : [{ key, path: [], message: `${key}: ${checked.message}` }];
}

/** What it names and would not be there, or cannot be named. */
function missingNames(
  { key, kind, id, document }: Draft,
  result: ReadonlyMap<string, Document | undefined>,
  kinds: readonly ResourceKind[],
): readonly ImportFault[] {
  const faults: ImportFault[] = [];
  for (const reference of referencesOf(kind, document)) {
    const target = kinds.find(({ segment }) => segment === reference.segment);
    const name = `${reference.segment}/${reference.id}`;
    const named = result.get(name);
    const reason = result.has(name) ? named && target?.unfit?.(named) : 'there is none';
    if (reason !== undefined) {
      const message = `${key}: names the ${target?.word ?? reference.segment} ${reference.id}: ${reason}`;
      faults.push({ key, path: reference.path, message });
    }
  }
  for (const { path, segment, id: named } of pluginReferencesOf(document)) {
    const name = `${segment}/${named}`;
    if (!result.has(name))
      faults.push({ key, path, message: `${key}: a plugin names ${name}: there is none` });
  }
  const owner = `consumers/${id.split('/')[0]}`;
  if (kind.segment === 'credentials' && !result.has(owner)) {
    faults.push({ key, path: [], message: `${key}: belongs to ${owner}: there is none` });
  }
  return faults;
}

function repeatedClaims(
  drafts: readonly Draft[],
  staying: readonly StoredResource[],
): readonly ImportFault[] {
  const holders = new Map<string, string>();
  const faults: ImportFault[] = [];
  for (const { key, kind, document } of staying) {
    if (kind === undefined || document === undefined) continue;
    for (const claim of claimsOf(kind.segment, document)) holders.set(claim, key);
  }
  for (const { key, kind, document } of drafts) {
    for (const claim of claimsOf(kind.segment, document)) {
      const holder = holders.get(claim);
      if (holder === undefined) holders.set(claim, key);
      else faults.push({ key, path: ['plugins'], message: `${key}: has the same ${claim} as ${holder}` });
    }
  }
  return faults;
}
