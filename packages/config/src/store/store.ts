/**
 * A point in a store's history: etcd's revision, or a counter that behaves like it. Grows by one with every write
 * to the store; keys of one write share it. Whole number from 1, below 2^53.
 */
export type Revision = number;

/** One key as it is stored. */
export interface StoreEntry {
  /** Relative to the store's prefix, without a leading slash: `stream_routes/1`. */
  readonly key: string;
  /** The stored text, byte for byte: JSON, or APISIX's `init_dir` placeholder under `stream_routes/`. */
  readonly value: string;
  /** The revision that created the key, since it was last absent. */
  readonly createRevision: Revision;
  /** The revision of the last write to the key. */
  readonly modRevision: Revision;
  /** It has a time-to-live. A store tells this of what is loaded, listed or got, and need not in changes. */
  readonly expires?: boolean;
}

/** Everything under the prefix at one revision, in ascending order of the keys' bytes. */
export interface StoreSnapshot {
  readonly revision: Revision;
  readonly entries: readonly StoreEntry[];
}

export type StoreEvent =
  | { readonly type: 'put'; readonly entry: StoreEntry }
  | { readonly type: 'delete'; readonly key: string };

/** All that one revision changed under the prefix. */
export interface StoreChange {
  readonly revision: Revision;
  readonly events: readonly StoreEvent[];
}

export interface PutOptions {
  /**
   * The key disappears after this many seconds unless it is written again; a store may keep it a little longer.
   * Whole number ≥ 1, anything else is a `TypeError`; absent is never.
   */
  readonly ttlSeconds?: number;
}

export interface PutResult {
  /** The revision of this write. */
  readonly revision: Revision;
  /** What the key held before; absent when the write created it. */
  readonly previous?: StoreEntry;
}

/**
 * Writing is a capability of a store. An answer means the write is durable. A write whose outcome is unknown
 * rejects and is not repeated: only the caller can tell whether repeating is safe.
 *
 * All methods reject with `STORE_UNREACHABLE`, `STORE_FULL`, `STORE_DENIED` or `STORE_CLOSED`; those that write also with
 * `STORE_VALUE_TOO_LARGE`.
 */
export interface StoreWriter {
  /** The key's latest value, as of now (linearizable). */
  get(key: string): Promise<StoreEntry | undefined>;
  /** The latest entries whose key begins with `prefix` (linearizable), in ascending order of the keys' bytes. */
  list(prefix: string): Promise<StoreSnapshot>;
  put(key: string, value: string, options?: PutOptions): Promise<PutResult>;
  /**
   * Writes only if the key's `modRevision` still is `expected`; 0 means that the key is absent.
   * @throws GatewayError `STORE_CONFLICT` when it is not; nothing was written then.
   */
  compareAndSwap(key: string, value: string, expected: Revision, options?: PutOptions): Promise<PutResult>;
  /**
   * Removes the key. `undefined` when there was none, and then no revision passes.
   * @param expected removes it only if its `modRevision` still is this one; left out, whatever it is.
   * @throws GatewayError `STORE_CONFLICT` when it is another; nothing was removed then.
   */
  delete(
    key: string,
    expected?: Revision,
  ): Promise<{ readonly revision: Revision; readonly previous: StoreEntry } | undefined>;
}

/**
 * Where configuration is kept. Reading is required, writing is a capability; nothing silently does nothing.
 * `testStore` of `@apisix-ts/config/contract` is the definition in code.
 */
export interface Store {
  /** The driver's name, as `config_provider` has it. */
  readonly name: string;
  /**
   * Everything at one revision, no older than any write that was answered before.
   * Rejects with `STORE_UNREACHABLE`, `STORE_CORRUPT`, `STORE_DENIED`, or with the reason of `signal` once it aborts.
   */
  load(signal: AbortSignal): Promise<StoreSnapshot>;
  /**
   * Every change after `since`, in order, each once, until `signal` aborts or the store is closed (the iteration
   * then just ends). A reader may be slow: what it has not fetched waits in the store's history, not in memory.
   * A time-out or an idle connection never advances it and loses nothing; a connection that went silent is
   * detected and re-opened from the last revision that was yielded.
   *
   * The iteration rejects with `STORE_COMPACTED` (the history after `since` is gone: load again),
   * `STORE_REWOUND` (the store is at an older revision than `since`: it was wiped or restored, load again),
   * `STORE_UNREACHABLE` (load or watch again, after a pause) or `STORE_DENIED`.
   */
  watch(since: Revision, signal: AbortSignal): AsyncIterable<StoreChange>;
  /** Absent on a read-only store. */
  readonly writer?: StoreWriter;
  /**
   * Makes these the keys there are, with their values, as one change of one revision. What holds its value already is
   * no part of the change and keeps its revision; when nothing differs, no revision passes. A time-to-live is gone.
   * Absent on a store whose keys are written one by one, or not at all.
   * @returns the revision since which it holds. Rejects with `STORE_CLOSED`.
   */
  replaceAll?(values: ReadonlyMap<string, string>): Promise<Revision>;
  /** Idempotent. Ends watches; later calls reject with `STORE_CLOSED`. */
  close(): Promise<void>;
}
