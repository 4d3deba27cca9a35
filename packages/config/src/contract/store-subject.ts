import type { TestContext } from 'vitest';
import type { Revision, Store, StoreChange, StoreEntry, StoreSnapshot, StoreWriter } from '../store/store.ts';

/**
 * What a driver's test can do to its store from outside. Offer what the driver can meet in life; a case that needs
 * one that is missing is skipped and says so.
 */
export interface StoreDisturbances {
  /**
   * Writes as another client of the same store does; `undefined` removes the key. A store without a `writer` is
   * written with this only, by whatever means it has; then the store has it once the promise is fulfilled.
   */
  readonly writeFromElsewhere?: (key: string, value: string | undefined) => Promise<void>;
  /** Writes something that the same store keeps outside the prefix. */
  readonly writeOutsidePrefix?: () => Promise<void>;
  /** Moves the store's clock on. Without it, cases about time wait for real. */
  readonly advance?: (seconds: number) => Promise<void>;
  /** Opens the store anew over the same data; the one before is closed. */
  readonly reopen?: () => Promise<Store>;
  /** Forgets the history up to now. */
  readonly compact?: () => Promise<void>;
  /** Empties the store and sets its revision back to the first, as when its data is lost. */
  readonly wipe?: () => Promise<void>;
  /** Breaks the open connections, so that both ends notice; new ones succeed. */
  readonly cutConnections?: () => Promise<void>;
  /** Lets the open connections carry nothing any more, without an end or a reset; new ones succeed. */
  readonly silenceConnections?: () => Promise<void>;
  /** Makes the store unreachable until the returned function is called. */
  readonly goAway?: () => Promise<() => Promise<void>>;
}

export interface OpenedStore {
  /** Empty. */
  readonly store: Store;
  readonly disturb: StoreDisturbances;
  /** Releases what stands behind the store, after the test has closed it. */
  readonly dispose?: () => Promise<void>;
}

/** Called once for each case. */
export type OpenStore = () => Promise<OpenedStore>;

/** Opens what a case works with; it is closed when the test ends, with all that the case opened from it. */
export async function openSubject(context: TestContext, open: OpenStore): Promise<Subject> {
  const opened = await open();
  const subject = new Subject(context, opened);
  context.onTestFinished(async () => {
    await subject.close();
    await opened.dispose?.();
  });
  return subject;
}

export class Subject {
  readonly store: Store;
  readonly disturb: StoreDisturbances;
  readonly #context: TestContext;
  readonly #stores: Store[];
  readonly #watches: AbortController[] = [];

  constructor(context: TestContext, { store, disturb }: OpenedStore) {
    this.store = store;
    this.disturb = disturb;
    this.#context = context;
    this.#stores = [store];
  }

  /** The writer, or the case is skipped. */
  writer(): StoreWriter {
    return this.store.writer ?? this.#context.skip('this store is read-only');
  }

  /** The disturbance, or the case is skipped. */
  need<Name extends keyof StoreDisturbances>(name: Name): NonNullable<StoreDisturbances[Name]> {
    return this.disturb[name] ?? this.#context.skip(`the test of this store offers no ${name}()`);
  }

  /** The store's `replaceAll`, or the case is skipped. */
  replaceAll(values: ReadonlyMap<string, string>): Promise<Revision> {
    const { store } = this;
    if (store.replaceAll !== undefined) return store.replaceAll(values);
    return this.#context.skip('keys of this store are written one by one, or not at all');
  }

  load(): Promise<StoreSnapshot> {
    return this.store.load(new AbortController().signal);
  }

  async revision(): Promise<Revision> {
    return (await this.load()).revision;
  }

  /** The entry as the store has it now. */
  async read(key: string): Promise<StoreEntry | undefined> {
    return (await this.load()).entries.find((entry) => entry.key === key);
  }

  /** Puts a document with this name, or removes with `undefined`, by whatever way there is. */
  async write(key: string, name: string | undefined): Promise<void> {
    const { writer } = this.store;
    const value = name === undefined ? undefined : documentText(key, name);
    if (writer === undefined) await this.need('writeFromElsewhere')(key, value);
    else if (value === undefined) await writer.delete(key);
    else await writer.put(key, value);
  }

  /** As `write`, and not through the connections of the store itself if there is a way. */
  async writeBesides(key: string, name: string): Promise<void> {
    const { writeFromElsewhere } = this.disturb;
    if (writeFromElsewhere === undefined) await this.write(key, name);
    else await writeFromElsewhere(key, documentText(key, name));
  }

  watch(since: Revision, store: Store = this.store): Watching {
    const controller = new AbortController();
    this.#watches.push(controller);
    return new Watching(store.watch(since, controller.signal), controller);
  }

  async reopen(): Promise<Store> {
    const reopen = this.need('reopen');
    for (const store of this.#stores) await store.close();
    const again = await reopen();
    this.#stores.push(again);
    return again;
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.abort();
    for (const store of this.#stores) await store.close();
  }
}

/** A running watch, read one change at a time. */
export class Watching {
  readonly #changes: AsyncIterator<StoreChange>;
  readonly #controller: AbortController;

  constructor(changes: AsyncIterable<StoreChange>, controller: AbortController) {
    this.#changes = changes[Symbol.asyncIterator]();
    this.#controller = controller;
  }

  /** The next change; rejects when there is none. */
  async next(): Promise<StoreChange> {
    const step = await this.#changes.next();
    if (step.done === true) throw new Error('The watch ended instead of giving a change.');
    return step.value;
  }

  /** Rejects unless the iteration is over. */
  async ended(): Promise<void> {
    const step = await this.#changes.next();
    if (step.done !== true)
      throw new Error(`The watch gave revision ${step.value.revision} and did not end.`);
  }

  abort(): void {
    this.#controller.abort();
  }
}

/** What cases write: a document that every store takes, also one that knows no other text, with a name in it. */
export function documentText(key: string, name: string): string {
  return JSON.stringify({ id: key.slice(key.indexOf('/') + 1), desc: name });
}

/** The names of the documents that a change put, without their keys. */
export function putNames(change: StoreChange): string[] {
  return change.events.flatMap((event) => {
    if (event.type !== 'put') return [];
    const document: unknown = JSON.parse(event.entry.value);
    const isNamed = typeof document === 'object' && document !== null && 'desc' in document;
    return [isNamed ? String(document.desc) : event.entry.value];
  });
}
