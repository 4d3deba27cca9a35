import { placeOfKey } from '@apisix-ts/config';
import type { Document, KeyPlace, PutOptions, Revision, StoreEntry, StoreWriter } from '@apisix-ts/config';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import { createPace } from '@apisix-ts/http-server';
import { isObject } from './patch.ts';

/** A resource and its place in the store. */
export interface StoredDocument {
  /** With the store's prefix: `/apisix/stream_routes/1`. */
  readonly key: string;
  readonly document: Document;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

export type PlacedDocument = KeyPlace & Pick<StoredDocument, 'document'>;

/**
 * The store as documents. A directory is a kind's segment, or `consumers/jack/credentials`. Methods reject with the
 * writer's errors.
 */
export interface ResourceStore {
  /** With the store's prefix, as answers show it; without an id that of the directory. */
  keyOf(directory: string, id?: string): string;
  /** Rejects with `STORE_CORRUPT` when the stored text is not a JSON object. */
  read(directory: string, id: string): Promise<StoredDocument | undefined>;
  /** The stored time of creation; undefined when there is none, or nothing that can be read. */
  createTimeOf(directory: string, id: string): Promise<unknown>;
  /** In ascending order of the keys' bytes. What is not a JSON object is passed over: APISIX keeps placeholders. */
  list(directory: string, idSegments?: number): Promise<readonly StoredDocument[]>;
  /** All there is below a segment, of whatever kind. */
  listBelow(segment: string): Promise<readonly PlacedDocument[]>;
  /** @returns whether this created the resource. */
  put(directory: string, id: string, document: Document, options: PutOptions): Promise<boolean>;
  /** Writes if the resource is still the one read. Rejects with `STORE_CONFLICT` otherwise. */
  replace(
    directory: string,
    id: string,
    document: Document,
    read: StoredDocument,
    options: PutOptions,
  ): Promise<void>;
  /** @returns whether there was one. */
  remove(directory: string, id: string): Promise<boolean>;
  removeAll(directory: string): Promise<void>;
  /** A revision that no other write has. */
  nextRevision(): Promise<Revision>;
  /** Tells of a write of a resource that was made past this, and acknowledged. */
  acknowledge(revision: Revision): void;
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
    acknowledge,
    keyOf: (directory, id) => (id === undefined ? `${prefix}/${directory}` : `${prefix}/${directory}/${id}`),
    async read(directory, id) {
      const entry = await writer.get(`${directory}/${id}`);
      if (entry === undefined) return undefined;
      const stored = parse(entry, prefix);
      if (stored !== undefined) return stored;
      throw new GatewayError(
        'STORE_CORRUPT',
        `The stored value of ${prefix}/${entry.key} is not a JSON object.`,
      );
    },
    async createTimeOf(directory, id) {
      const entry = await writer.get(`${directory}/${id}`);
      return entry && parse(entry, prefix)?.document['create_time'];
    },
    async list(directory, idSegments = 1) {
      const { entries } = await writer.list(`${directory}/`);
      const pace = createPace();
      const found: StoredDocument[] = [];
      for (const entry of entries) {
        const id = entry.key.slice(directory.length + 1);
        const isItem = id !== '' && id.split('/').length === idSegments;
        const stored = isItem ? parse(entry, prefix) : undefined;
        if (stored !== undefined) found.push(stored);
        const pause = pace();
        if (pause !== undefined) await pause;
      }
      return found;
    },
    async listBelow(segment) {
      const { entries } = await writer.list(`${segment}/`);
      return entries.flatMap((entry) => {
        const document = parse(entry, prefix)?.document;
        return document === undefined ? [] : [{ ...placeOfKey(entry.key), document }];
      });
    },
    async put(directory, id, document, options) {
      const result = await writer.put(`${directory}/${id}`, JSON.stringify(document), options);
      acknowledge(result.revision);
      return result.previous === undefined;
    },
    async replace(directory, id, document, read, options) {
      const text = JSON.stringify(document);
      const result = await writer.compareAndSwap(`${directory}/${id}`, text, read.modRevision, options);
      acknowledge(result.revision);
    },
    async remove(directory, id) {
      const result = await writer.delete(`${directory}/${id}`);
      if (result !== undefined) acknowledge(result.revision);
      return result !== undefined;
    },
    async removeAll(directory) {
      const { entries } = await writer.list(`${directory}/`);
      for (const { key } of entries) {
        const result = await writer.delete(key);
        if (result !== undefined) acknowledge(result.revision);
      }
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

/** @returns false when somebody else wrote it since it was read; then nothing was written. */
export async function replaceIfUnchanged(
  resources: Pick<ResourceStore, 'replace'>,
  ...[directory, id, document, read, options]: Parameters<ResourceStore['replace']>
): Promise<boolean> {
  try {
    await resources.replace(directory, id, document, read, options);
    return true;
  } catch (error) {
    if (isGatewayError(error, 'STORE_CONFLICT')) return false;
    throw error;
  }
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
