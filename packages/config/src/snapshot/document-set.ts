import { hash } from 'node:crypto';
import type { Document, ResourceKind } from '../resources/resource-kind.ts';
import type { Revision, StoreChange, StoreEntry, StoreSnapshot } from '../store/store.ts';
import { placeOfKey } from './key-place.ts';

/** Judges a stored document and fills its defaults in. */
export type CheckStored = (
  kind: ResourceKind,
  document: Document,
) => { readonly ok: true; readonly document: Document } | { readonly ok: false; readonly message: string };

/** One resource that appeared, changed or went. */
export interface DocumentChange {
  /** The kind's segment: `stream_routes`. */
  readonly kind: string;
  readonly id: string;
  /** Checked, defaults applied, `id` as in its key; undefined when it is gone. */
  readonly document: Document | undefined;
}

/** A stored value that cannot be used. Its last good version, if there was one, keeps serving. */
export interface Rejection {
  readonly kind: string;
  readonly id: string;
  readonly revision: Revision;
  /** What is wrong with it, in one sentence. */
  readonly message: string;
  /** Is a former version of it in use? */
  readonly hasPredecessor: boolean;
}

/** What one step of the store's history means for the resources. */
export interface DocumentBatch {
  readonly revision: Revision;
  readonly changes: readonly DocumentChange[];
  /** Values of this step that were refused. */
  readonly rejections: readonly Rejection[];
}

/** Reading access to the resources in effect. */
export interface DocumentView {
  /** The last revision that was applied; 0 before the first load. */
  readonly revision: Revision;
  /** The one that was applied before it; 0: none was. */
  readonly previousRevision: Revision;
  get(kind: string, id: string): Document | undefined;
  /** Id and document of each resource of a kind, in no particular order. */
  entries(kind: string): Iterable<readonly [string, Document]>;
  /** When a resource was created and last written, the present version in effect or not; undefined: there is none. */
  revisionsOf(kind: string, id: string): Pick<StoreEntry, 'createRevision' | 'modRevision'> | undefined;
  /**
   * The revision of the last write to what is there of each kind, by its segment; 0: nothing is. It is known, unless what was
   * written last is gone: then all there is has to be looked at, step by step. Others may have their turns between two
   * steps; undefined is one without a result.
   */
  kindRevisions(): Iterable<readonly [kind: string, revision: Revision] | undefined>;
}

export interface DocumentSetOptions {
  /** Keep the text of every value for `stored`, instead of a digest. Default false. */
  readonly keepsText?: boolean;
}

interface Held {
  /** What the store has, good or not; its value is the text, or the digest of it. */
  readonly entry: StoreEntry;
  /** The last good version. */
  readonly document: Document | undefined;
}

/**
 * The resources of a store, as they are in effect: fed with snapshots and changes, it tells what they mean. What
 * did not change keeps its identity, also over a full load; what is bad is reported and changes nothing; what is
 * none of the kinds is passed over.
 */
export class DocumentSet implements DocumentView {
  readonly #kinds: ReadonlyMap<string, ResourceKind>;
  readonly #check: CheckStored;
  readonly #keepsText: boolean;
  readonly #held = new Map<string, Map<string, Held>>();
  readonly #rejected = new Map<string, Rejection>();
  /** By kind; it is missing where what was written last is gone. */
  readonly #lastWrites = new Map<string, Revision>();
  #revision: Revision = 0;
  #previousRevision: Revision = 0;

  constructor(
    kinds: readonly ResourceKind[],
    check: CheckStored,
    { keepsText = false }: DocumentSetOptions = {},
  ) {
    this.#keepsText = keepsText;
    this.#kinds = new Map(kinds.map((kind) => [kind.segment, kind]));
    this.#check = check;
    for (const kind of kinds) this.#held.set(kind.segment, new Map());
  }

  get revision(): Revision {
    return this.#revision;
  }

  get previousRevision(): Revision {
    return this.#previousRevision;
  }

  /** What the store holds now and cannot be used. */
  get rejections(): readonly Rejection[] {
    return [...this.#rejected.values()];
  }

  get(kind: string, id: string): Document | undefined {
    return this.#held.get(kind)?.get(id)?.document;
  }

  *entries(kind: string): Iterable<readonly [string, Document]> {
    for (const [id, { document }] of this.#held.get(kind) ?? []) {
      if (document !== undefined) yield [id, document];
    }
  }

  revisionsOf(kind: string, id: string): ReturnType<DocumentView['revisionsOf']> {
    return this.#held.get(kind)?.get(id)?.entry;
  }

  /**
   * The resources as their store has them, those that cannot be used included; in no particular order.
   * @throws TypeError unless the set keeps text.
   */
  *stored(): Iterable<StoreEntry> {
    if (!this.#keepsText) throw new TypeError('a set of documents without keepsText has digests only');
    for (const held of this.#held.values()) {
      for (const { entry } of held.values()) yield entry;
    }
  }

  *kindRevisions(): ReturnType<DocumentView['kindRevisions']> {
    for (const [kind, held] of this.#held) {
      yield [kind, this.#lastWrites.get(kind) ?? (yield* this.#findLastWrite(kind, held))];
    }
  }

  /**
   * Takes a full load, in any order: what it lacks is gone, what it has with the same text is as it was. The text
   * decides, because a store that was wiped gives the same revisions to other values.
   */
  load(snapshot: StoreSnapshot): DocumentBatch {
    const batch = new BatchBuilder();
    const present = new Set(snapshot.entries.map((entry) => entry.key));
    for (const kind of this.#held.keys()) this.#lastWrites.set(kind, 0);
    for (const [kind, held] of this.#held) {
      for (const [id, { entry }] of held) {
        if (!present.has(entry.key)) this.#remove(kind, id, batch);
      }
    }
    for (const entry of snapshot.entries) this.#put(entry, batch, () => true);
    return this.#finish(batch, snapshot.revision);
  }

  /** Takes a change. What was written again is looked at again, even with the same text: somebody wanted that. */
  apply(change: StoreChange): DocumentBatch {
    const batch = new BatchBuilder();
    for (const event of change.events) {
      if (event.type === 'put') {
        this.#put(event.entry, batch, ({ modRevision }) => modRevision === event.entry.modRevision);
      } else {
        const { kind, id } = placeOfKey(event.key);
        this.#remove(kind, id, batch);
      }
    }
    return this.#finish(batch, change.revision);
  }

  #finish(batch: BatchBuilder, revision: Revision): DocumentBatch {
    this.#previousRevision = this.#revision;
    this.#revision = revision;
    return batch.finish(revision);
  }

  *#findLastWrite(kind: string, held: ReadonlyMap<string, Held>): Generator<undefined, Revision> {
    const revision = this.#revision;
    let last = 0;
    for (const { entry } of held.values()) {
      last = Math.max(last, entry.modRevision);
      yield undefined;
    }
    // What changed meanwhile may have been looked at before.
    if (this.#revision === revision) this.#lastWrites.set(kind, last);
    return last;
  }

  /**
   * Judges resources in effect once more, because something else is right now. What is no longer right stays as it is, and
   * is reported.
   * @param isMeant which ones, by the segment of their kind. @returns them, with the present revision.
   */
  judgeAgain(isMeant: (kind: string, document: Document) => boolean): DocumentBatch {
    const batch = new BatchBuilder();
    for (const [segment, held] of this.#held) {
      const kind = this.#kinds.get(segment);
      for (const [id, { entry, document }] of held) {
        if (kind === undefined || document === undefined || !isMeant(segment, document)) continue;
        const checked = this.#check(kind, document);
        if (checked.ok) {
          held.set(id, { entry, document: checked.document });
          batch.changes.push({ kind: segment, id, document: checked.document });
          continue;
        }
        const { key, modRevision: revision } = entry;
        const { message } = checked;
        const rejection: Rejection = { kind: segment, id, revision, message, hasPredecessor: true };
        this.#rejected.set(key, rejection);
        batch.rejections.push(rejection);
      }
    }
    return batch.finish(this.#revision);
  }

  /** @param isKnown of an entry that has the same text: is it the same? */
  #put(entry: StoreEntry, batch: BatchBuilder, isKnown: (former: StoreEntry) => boolean): void {
    const { kind: segment, id } = placeOfKey(entry.key);
    const kind = this.#kinds.get(segment);
    const held = this.#held.get(segment);
    // Another kind of resource, or the placeholder of a directory.
    if (kind === undefined || held === undefined || id === '') return;

    // A change is later than all that is there; only a load has entries in any order.
    this.#lastWrites.set(segment, Math.max(this.#lastWrites.get(segment) ?? 0, entry.modRevision));
    const former = held.get(id);
    const known = this.#keepsText ? entry : { ...entry, value: hash('sha256', entry.value, 'base64') };
    if (former?.entry.value === known.value && isKnown(former.entry)) {
      held.set(id, { ...former, entry: known });
      const rejection = this.#rejected.get(entry.key);
      if (rejection !== undefined)
        this.#rejected.set(entry.key, { ...rejection, revision: entry.modRevision });
      return;
    }
    const checked = this.#read(kind, id, entry.value);
    if (checked.ok) {
      held.set(id, { entry: known, document: checked.document });
      this.#rejected.delete(entry.key);
      batch.changes.push({ kind: segment, id, document: checked.document });
      return;
    }
    held.set(id, { entry: known, document: former?.document });
    const rejection: Rejection = {
      kind: segment,
      id,
      revision: entry.modRevision,
      message: checked.message,
      hasPredecessor: former?.document !== undefined,
    };
    this.#rejected.set(entry.key, rejection);
    batch.rejections.push(rejection);
  }

  #remove(kind: string, id: string, batch: BatchBuilder): void {
    const held = this.#held.get(kind);
    const former = held?.get(id);
    if (held === undefined || former === undefined) return;
    held.delete(id);
    if (former.entry.modRevision === this.#lastWrites.get(kind)) this.#lastWrites.delete(kind);
    this.#rejected.delete(former.entry.key);
    if (former.document !== undefined) batch.changes.push({ kind, id, document: undefined });
  }

  #read(kind: ResourceKind, id: string, text: string): ReturnType<CheckStored> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return {
        ok: false,
        message: `it is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
    if (!isObject(value))
      return { ok: false, message: `a JSON object was expected, found ${describe(value)}` };
    return this.#check(kind, { ...value, id });
  }
}

class BatchBuilder {
  readonly changes: DocumentChange[] = [];
  readonly rejections: Rejection[] = [];

  finish(revision: Revision): DocumentBatch {
    return { revision, changes: this.changes, rejections: this.rejections };
  }
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
