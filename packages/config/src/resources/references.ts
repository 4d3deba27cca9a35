import type { KeyPath } from '../source/key-path.ts';
import { idText } from './id-text.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** One resource that a document names. */
export interface Reference {
  /** Where the document has the id. */
  readonly path: KeyPath;
  /** Segment of the kind that is named. */
  readonly segment: string;
  readonly id: string;
}

/** The resources a document names directly, in the order of its kind's fields. Those in plugins are not among them. */
export function referencesOf(kind: ResourceKind, document: Document): readonly Reference[] {
  return namedBy(document, [], kind.references);
}

/** The resources that a document's plugins name, also those that are switched off. */
export function pluginReferencesOf({ plugins }: Document): readonly Reference[] {
  if (!isDocument(plugins)) return [];
  const rules = listOf(plugins['traffic-split'], 'rules').flatMap((rule, index) =>
    listOf(rule, 'weighted_upstreams').flatMap((target, place) => {
      const path = ['plugins', 'traffic-split', 'rules', index, 'weighted_upstreams', place];
      return namedBy(target, path, { upstream_id: 'upstreams', 'upstream.tls.client_cert_id': 'ssls' });
    }),
  );
  const transcode = namedBy(plugins['grpc-transcode'], ['plugins', 'grpc-transcode'], { proto_id: 'protos' });
  return [...rules, ...transcode];
}

function namedBy(
  holder: unknown,
  path: KeyPath,
  fields: Readonly<Record<string, string>>,
): readonly Reference[] {
  if (!isDocument(holder)) return [];
  return Object.entries(fields).flatMap(([field, segment]) => {
    const id = memberAt(holder, field);
    return id === undefined ? [] : [{ path: [...path, ...field.split('.')], segment, id: idText(id) }];
  });
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const member = isDocument(value) ? value[name] : undefined;
  return Array.isArray(member) ? member : [];
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
