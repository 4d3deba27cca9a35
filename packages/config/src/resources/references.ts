import { idText } from './id-text.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** One resource that a document names. */
export interface Reference {
  /** Where the document has the id. */
  readonly path: readonly string[];
  /** Segment of the kind that is named. */
  readonly segment: string;
  readonly id: string;
}

/** The resources a document names directly, in the order of its kind's fields. Those in plugins are not among them. */
export function referencesOf(kind: ResourceKind, document: Document): readonly Reference[] {
  return Object.entries(kind.references).flatMap(([field, segment]) => {
    const id = memberAt(document, field);
    return id === undefined ? [] : [{ path: field.split('.'), segment, id: idText(id) }];
  });
}

/** @param field names with dots between: `tls.client_cert_id`. */
export function memberAt(document: Document, field: string): unknown {
  return field
    .split('.')
    .reduce<unknown>((holder, name) => (isDocument(holder) ? holder[name] : undefined), document);
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
