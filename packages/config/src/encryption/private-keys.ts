import { createHash } from 'node:crypto';
import type { Document, ResourceKind } from '../resources/resource-kind.ts';
import { isReference } from '../validate/text-keyword.ts';
import { decryptText, encryptText } from './encryption.ts';

/** The document as it is stored: private keys in PEM are encrypted. With an empty keyring nothing changes. */
export function sealPrivateKeys(
  kind: ResourceKind,
  document: Document,
  keyring: readonly string[],
): Document {
  return mapKeys(kind, document, (key) => (isPem(key) ? encryptText(key, keyring) : key));
}

/**
 * The document as it is used: private keys that were encrypted are PEM again.
 * @returns undefined when one is neither PEM nor a reference, and no key of the keyring opens it. With an empty keyring
 * nothing changes.
 */
export function openPrivateKeys(
  kind: ResourceKind,
  document: Document,
  keyring: readonly string[],
): Document | undefined {
  if (keyring.length === 0) return document;
  let isOpen = true;
  const opened = mapKeys(kind, document, (key) => {
    if (isPem(key) || isReference(key)) return key;
    const text = decryptText(key, keyring);
    isOpen &&= text !== undefined;
    return text ?? key;
  });
  return isOpen ? opened : undefined;
}

/** The document for people to read: in the place of each private key is what tells it from another. */
export function maskPrivateKeys(kind: ResourceKind, document: Document): Document {
  return mapKeys(kind, document, fingerprint);
}

/** Ten digits of a text's SHA-256, for where the text itself is nobody's business. */
export function fingerprint(text: string): string {
  return `(hidden, ${createHash('sha256').update(text).digest('hex').slice(0, 10)})`;
}

/** Names a PEM; anything else in the place of a key is encrypted, a reference, or wrong. */
function isPem(text: string): boolean {
  return text.startsWith('---');
}

function mapKeys(
  { privateKeys = [] }: ResourceKind,
  document: Document,
  change: (key: string) => string,
): Document {
  return privateKeys.reduce<Document>((done, path) => mapAt(done, path.split('.'), change), document);
}

function mapAt(document: Document, path: readonly string[], change: (key: string) => string): Document {
  const [name = '', ...rest] = path;
  if (!Object.hasOwn(document, name)) return document;
  const changed = changeValue(document[name], rest, change);
  return changed === document[name] ? document : { ...document, [name]: changed };
}

function changeValue(value: unknown, rest: readonly string[], change: (key: string) => string): unknown {
  if (rest.length > 0) return isDocument(value) ? mapAt(value, rest, change) : value;
  if (typeof value === 'string') return change(value);
  if (!Array.isArray(value)) return value;
  return value.map((key: unknown) => (typeof key === 'string' ? change(key) : key));
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
