import type { JsonSchema } from '../validate/json-schema.ts';

/** A resource as it is stored and sent: APISIX's field names, JSON values only. */
export type Document = Readonly<Record<string, unknown>>;

/**
 * One kind of resource. The Admin API, the snapshot and the schema endpoints are written against this, so a kind
 * is one file and one line in `resources/index.ts`.
 */
export interface ResourceKind {
  /** The name of its schema: `stream_route`. */
  readonly name: string;
  /** Its segment in Admin API paths and store keys: `stream_routes`. */
  readonly segment: string;
  /** The word for it in messages: `stream route`. */
  readonly word: string;
  readonly schema: JsonSchema;
  /**
   * What the schema cannot say, about one document alone (references are checked by the Admin API).
   * @param document has passed the schema, defaults applied.
   * @returns what is wrong, in APISIX's words, or undefined.
   */
  check(document: Document): string | undefined;
  /** The kinds a document may name, by the field that does: `{ upstream_id: 'upstreams' }`. */
  readonly references: Readonly<Record<string, string>>;
}
