import { isDeepStrictEqual } from 'node:util';
import { fingerprint, isMap, maskPrivateKeys, showPath } from '@apisix-ts/config';
import type { Document, KeyPath, ResourceKind } from '@apisix-ts/config';
import type { FieldChange } from './import-report.ts';

/**
 * The members that differ, in alphabetical order, for people to read: private keys, and the keys, passwords and tokens
 * of consumers and secret managers, are told by a fingerprint.
 */
export function differences(kind: ResourceKind, before: Document, after: Document): readonly FieldChange[] {
  const found: FieldChange[] = [];
  const hidesMore = guarded.has(kind.segment);
  const show = (document: Document): unknown => {
    const masked = maskPrivateKeys(kind, document);
    return hidesMore ? maskSecrets(masked) : masked;
  };
  compare(show(before), show(after), [], found);
  return found;
}

const guarded = new Set(['secrets', 'consumers', 'credentials']);
const secretName = /^(?:.*[_-])?(?:key|password|secret|token)$/;

function maskSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' && secretName.test(name) ? fingerprint(member) : maskSecrets(member),
    ]),
  );
}

function compare(before: unknown, after: unknown, path: KeyPath, found: FieldChange[]): void {
  if (isMap(before) && isMap(after)) {
    for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()) {
      compareMember(before, after, name, [...path, name], found);
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const index of before.keys()) compare(before[index], after[index], [...path, index], found);
  } else if (!isDeepStrictEqual(before, after)) {
    found.push({ path: showPath(path), from: before, to: after });
  }
}

function compareMember(
  before: Document,
  after: Document,
  name: string,
  path: KeyPath,
  found: FieldChange[],
): void {
  if (!Object.hasOwn(before, name)) found.push({ path: showPath(path), to: after[name] });
  else if (!Object.hasOwn(after, name)) found.push({ path: showPath(path), from: before[name] });
  else compare(before[name], after[name], path, found);
}
