import { GatewayError } from '@apisix-ts/errors';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { watchHistory } from './history.ts';
import { storeCompacted, storeConflict, storeRewound } from './store-errors.ts';
import { checkTtl, compareKeys } from './store-keys.ts';
import type {
  PutOptions,
  PutResult,
  Revision,
  Store,
  StoreChange,
  StoreEntry,
  StoreEvent,
  StoreSnapshot,
  StoreWriter,
} from './store.ts';

export interface MemoryStoreOptions {
  /** Default `memory`. */
  readonly name?: string;
  /** How many changes a watch can be behind before it ends with `STORE_COMPACTED`. Default 1000. */
  readonly historyLength?: number;
  /** What time-to-live is measured with. Default the system's clock. */
  readonly clock?: Clock;
}

export interface MemoryStore extends Store {
  readonly writer: StoreWriter;
  replaceAll(values: ReadonlyMap<string, string>): Promise<Revision>;
  /** Forgets all changes so far: a watch from before now ends with `STORE_COMPACTED`. */
  compact(): void;
  /** Starts over, empty and at revision 1, as a store that was lost: watches end with `STORE_REWOUND`. */
  wipe(): void;
}

/** The reference implementation of `Store`. Nothing outlives the process. */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { name = 'memory', historyLength = 1000, clock = systemClock } = options;
  const entries = new Map<string, StoreEntry>();
  /** When a key with a time-to-live goes, in the clock's milliseconds. */
  const expiries = new Map<string, number>();
  const watchers = new Set<() => void>();
  let revision: Revision = 1;
  let changes: StoreChange[] = [];
  /** Changes up to this revision are forgotten. */
  let forgotten: Revision = 0;
  /** Counts wipes, so that a watch notices one even when the revision has grown back since. */
  let life = 0;
  let isClosed = false;
  let cancelExpiry = (): void => {};

  function checkOpen(): void {
    if (isClosed) throw new GatewayError('STORE_CLOSED', 'The memory store is closed.');
  }

  function record(events: readonly StoreEvent[]): void {
    changes.push({ revision, events });
    if (changes.length > historyLength) forgotten = changes.shift()?.revision ?? forgotten;
    for (const moved of watchers) moved();
  }

  /** At the revision that is now. */
  function write(key: string, value: string): StoreEntry {
    const createRevision = entries.get(key)?.createRevision ?? revision;
    const entry = { key, value, createRevision, modRevision: revision };
    entries.set(key, entry);
    expiries.delete(key);
    return entry;
  }

  function put(key: string, value: string, { ttlSeconds }: PutOptions = {}): PutResult {
    checkTtl(ttlSeconds);
    const previous = entries.get(key);
    revision += 1;
    const entry = write(key, value);
    if (ttlSeconds !== undefined) expiries.set(key, clock.now() + ttlSeconds * 1000);
    scheduleExpiry();
    record([{ type: 'put', entry }]);
    return previous === undefined ? { revision } : { revision, previous };
  }

  function remove(key: string): { revision: Revision; previous: StoreEntry } | undefined {
    const previous = entries.get(key);
    if (previous === undefined) return undefined;
    revision += 1;
    entries.delete(key);
    expiries.delete(key);
    record([{ type: 'delete', key }]);
    return { revision, previous };
  }

  function replaceAll(values: ReadonlyMap<string, string>): Revision {
    const removed = [...entries.keys()].filter((key) => !values.has(key));
    const changed = [...values].filter(([key, value]) => entries.get(key)?.value !== value);
    expiries.clear();
    scheduleExpiry();
    if (removed.length + changed.length === 0) return revision;
    revision += 1;
    // What goes, goes first: its conditions, its names, may be somebody else's now.
    for (const key of removed) entries.delete(key);
    const puts = changed.map(([key, value]): StoreEvent => ({ type: 'put', entry: write(key, value) }));
    record([...removed.map((key): StoreEvent => ({ type: 'delete', key })), ...puts]);
    return revision;
  }

  function scheduleExpiry(): void {
    cancelExpiry();
    let earliest = Infinity;
    for (const at of expiries.values()) earliest = Math.min(earliest, at);
    if (earliest === Infinity) return;
    cancelExpiry = clock.after(Math.max(0, earliest - clock.now()), () => {
      const now = clock.now();
      const due = [...expiries].filter(([, at]) => at <= now);
      for (const [key] of due) remove(key);
      scheduleExpiry();
    });
  }

  function snapshot(prefix: string): StoreSnapshot {
    const found = [...entries.values()].filter((entry) => entry.key.startsWith(prefix)).map(withExpiry);
    return { revision, entries: found.sort((a, b) => compareKeys(a.key, b.key)) };
  }

  function withExpiry(entry: StoreEntry): StoreEntry {
    return expiries.has(entry.key) ? { ...entry, expires: true } : entry;
  }

  const writer: StoreWriter = {
    async get(key) {
      checkOpen();
      const entry = entries.get(key);
      return entry && withExpiry(entry);
    },
    async list(prefix) {
      checkOpen();
      return snapshot(prefix);
    },
    async put(key, value, putOptions) {
      checkOpen();
      return put(key, value, putOptions);
    },
    async compareAndSwap(key, value, expected, putOptions) {
      checkOpen();
      const found = entries.get(key)?.modRevision ?? 0;
      if (found !== expected) throw storeConflict(key, expected, found);
      return put(key, value, putOptions);
    },
    async delete(key, expected) {
      checkOpen();
      const found = entries.get(key)?.modRevision;
      if (expected !== undefined && found !== undefined && found !== expected) {
        throw storeConflict(key, expected, found);
      }
      return remove(key);
    },
  };

  return {
    name,
    writer,
    async replaceAll(values) {
      checkOpen();
      return replaceAll(values);
    },
    async load(signal) {
      signal.throwIfAborted();
      checkOpen();
      return snapshot('');
    },
    async *watch(since, signal) {
      checkOpen();
      const bornIn = life;
      const after = (position: Revision): readonly StoreChange[] | undefined => {
        if (isClosed) return undefined;
        if (life !== bornIn || position > revision) throw storeRewound(position, revision);
        if (position < forgotten) throw storeCompacted(position, forgotten);
        return changes.filter((change) => change.revision > position);
      };
      const onMoved = (callback: () => void): (() => void) => {
        watchers.add(callback);
        return () => watchers.delete(callback);
      };
      yield* watchHistory({ after, onMoved }, since, signal);
    },
    compact() {
      changes = [];
      forgotten = revision;
    },
    wipe() {
      entries.clear();
      expiries.clear();
      changes = [];
      revision = 1;
      forgotten = 0;
      life += 1;
      cancelExpiry();
      for (const moved of watchers) moved();
    },
    async close() {
      isClosed = true;
      cancelExpiry();
      for (const moved of watchers) moved();
    },
  };
}
