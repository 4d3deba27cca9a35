import type { JsonSchema } from '../validate/json-schema.ts';

/** A resource as it is stored and sent: APISIX's field names, JSON values only. */
export type Document = Readonly<Record<string, unknown>>;

/** What the rest of the gateway offers to the document that is checked. */
export interface CheckContext {
  /** The plugins there are for HTTP, by name. Their `_meta` member is ours and not in these schemas. */
  readonly plugins: ReadonlyMap<string, PluginSchemas>;
  /** Likewise for streams. */
  readonly streamPlugins: ReadonlyMap<string, PluginSchemas>;
  /** The names of the balancers there are. */
  readonly balancers: ReadonlySet<string>;
  /**
   * The document was found in the store, where another product or version may have written it: plugins and balancers
   * that are not there pass unchecked, for the data plane to do without. Default false: someone is writing it now.
   */
  readonly isStored?: boolean;
}

/** What a plugin's configurations look like. */
export interface PluginSchemas {
  readonly schema: JsonSchema;
  /** What the schema cannot say about a configuration that it fits. @returns what is wrong; undefined for nothing. */
  check?(configuration: unknown): string | undefined;
  /** The upstreams that a configuration that fits it names, or has somewhere: `rules/0/weighted_upstreams/1`. */
  upstreams?(
    configuration: unknown,
  ): readonly ({ readonly id: string } | { readonly place: string; readonly upstream: Document })[];
  /** Of its part of a consumer or credential; only plugins that find out who the client is have one. */
  readonly consumerSchema?: JsonSchema;
  /** Of its `plugin_metadata`. */
  readonly metadataSchema?: JsonSchema;
}

export type DocumentCheck<D extends Document = Document> =
  | {
      readonly ok: true;
      /** With all defaults, also those of its plugins. */
      readonly document: D;
    }
  | {
      readonly ok: false;
      /** What is wrong, in APISIX's words. */
      readonly message: string;
    };

/**
 * One kind of resource. The Admin API, the snapshot and the schema endpoints are written against this, so a kind
 * is one file and one line in `resources/index.ts`.
 */
export interface ResourceKind<D extends Document = Document> {
  /** The name of its schema: `stream_route`. */
  readonly name: string;
  /** Its segment in Admin API paths and store keys: `stream_routes`. */
  readonly segment: string;
  /** The word for it in messages: `stream route`. */
  readonly word: string;
  readonly schema: JsonSchema;
  /**
   * What the schema cannot say, about one document alone; references are checked by those who know the others.
   * @param document has passed the schema, defaults applied; the kind may keep it, and change nothing.
   */
  check(document: D, context: CheckContext): DocumentCheck<D>;
  /**
   * The kinds a document may name, by the field that does: `{ upstream_id: 'upstreams' }`. A field within another has
   * a dot: `tls.client_cert_id`.
   */
  readonly references: Readonly<Record<string, string>>;
  /** Why a resource of this kind that exists cannot be named by others. Default: it always can. */
  unfit?(document: Document): string | undefined;
  /** The fields with private keys, or lists of them, which are stored encrypted; written as in `references`. */
  readonly privateKeys?: readonly string[];
}
