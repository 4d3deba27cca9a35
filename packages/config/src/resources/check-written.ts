import { openPrivateKeys } from '../encryption/index.ts';
import { checkResource } from './check-resource.ts';
import type { CheckContext, Document, DocumentCheck, ResourceKind } from './resource-kind.ts';

/**
 * The check of a document that somebody wrote into a file: its private keys may be encrypted.
 * @param keyring what opens them; with an empty one they have to be PEM.
 * @returns the document with open keys.
 */
export function checkWritten(
  kind: ResourceKind,
  document: Document,
  context: CheckContext,
  keyring: readonly string[],
): DocumentCheck {
  const opened = openPrivateKeys(kind, document, keyring);
  if (opened === undefined) return { ok: false, message: 'failed to decrypt previous encrypted key' };
  return checkResource(kind, opened, context);
}
