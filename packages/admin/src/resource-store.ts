import type { Document, PutOptions, Revision, StoreEntry, StoreWriter } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { isObject } from './patch.ts';

/** A resource and its place in the store. */
export interface StoredDocument {
  /** With the store's prefix: `/apisix/stream_routes/1`. */
  readonly key: string;
  readonly document: Document;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** The store as documents. Methods reject with the writer's errors. */
export interface ResourceStore {
  /** With the store's prefix, as answers show it. */
  keyOf(segment: string, id: string): string;
  /** Rejects with `STORE_CORRUPT` when the stored text is not a JSON object. */
  read(segment: string, id: string): Promise<StoredDocument | undefined>;
  /** The stored time of creation; undefined when there is none, or nothing that can be read. */
  createTimeOf(segment: string, id: string): Promise<unknown>;
  /** In ascending order of the keys' bytes. What is not a JSON object is passed over: APISIX keeps placeholders. */
  list(segment: string): Promise<readonly StoredDocument[]>;
  /** @returns whether this created the resource. */
  put(segment: string, id: string, document: Document, options: PutOptions): Promise<boolean>;
  /** Writes if the resource is still the one read. Rejects with `STORE_CONFLICT` otherwise. */
  replace(
    segment: string,
    id: string,
    document: Document,
    read: StoredDocument,
    options: PutOptions,
  ): Promise<void>;
  /** @returns whether there was one. */
  remove(segment: string, id: string): Promise<boolean>;
  /** A revision that no other write has. */
  nextRevision(): Promise<Revision>;
  /** The latest revision that a write of a resource through here was acknowledged with; 0 before the first. */
  readonly acknowledged: Revision;
}

/**
 * @param prefix of the keys in answers: `/apisix`.
 * @param onWritten is told the revision of every acknowledged write of a resource.
 */
export function createResourceStore(
  writer: StoreWriter,
  prefix: string,
  onWritten: (revision: Revision) => void = () => {},
): ResourceStore {
  let acknowledged: Revision = 0;

  function acknowledge(revision: Revision): void {
    acknowledged = Math.max(acknowledged, revision);
    onWritten(revision);
  }

  return {
    keyOf: (segment, id) => `${prefix}/${segment}/${id}`,
    async read(segment, id) {
      const entry = await writer.get(`${segment}/${id}`);
      if (entry === undefined) return undefined;
      const stored = parse(entry, prefix);
      if (stored !== undefined) return stored;
      throw new GatewayError(
        'STORE_CORRUPT',
        `The stored value of ${prefix}/${entry.key} is not a JSON object.`,
      );
    },
    async createTimeOf(segment, id) {
      const entry = await writer.get(`${segment}/${id}`);
      return entry && parse(entry, prefix)?.document['create_time'];
    },
    async list(segment) {
      const { entries } = await writer.list(`${segment}/`);
      return entries.flatMap((entry) => {
        const isItem = !entry.key.includes('/', segment.length + 1) && entry.key.length > segment.length + 1;
        const stored = isItem ? parse(entry, prefix) : undefined;
        return stored === undefined ? [] : [stored];
      });
    },
    async put(segment, id, document, options) {
      const result = await writer.put(`${segment}/${id}`, JSON.stringify(document), options);
      acknowledge(result.revision);
      return result.previous === undefined;
    },
    async replace(segment, id, document, read, options) {
      const text = JSON.stringify(document);
      const result = await writer.compareAndSwap(`${segment}/${id}`, text, read.modRevision, options);
      acknowledge(result.revision);
    },
    async remove(segment, id) {
      const result = await writer.delete(`${segment}/${id}`);
      if (result !== undefined) acknowledge(result.revision);
      return result !== undefined;
    },
    async nextRevision() {
      const { revision } = await writer.put('gen_id', '1');
      return revision;
    },
    get acknowledged() {
      return acknowledged;
    },
  };
}

function parse(
  { key, value, createRevision, modRevision }: StoreEntry,
  prefix: string,
): StoredDocument | undefined {
  let document: unknown;
  try {
    document = JSON.parse(value);
  } catch {
    // Not JSON: the caller knows what that means.
    return undefined;
  }
  return isObject(document) ? { key: `${prefix}/${key}`, document, createRevision, modRevision } : undefined;
}
