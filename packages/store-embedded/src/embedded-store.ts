import {
  checkTtl,
  storeCompacted,
  storeConflict,
  storeRewound,
  systemClock,
  watchHistory,
} from '@apisix-ts/config';
import type {
  Clock,
  PutOptions,
  PutResult,
  Revision,
  Store,
  StoreChange,
  StoreWriter,
} from '@apisix-ts/config';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import { statSync } from 'node:fs';
import { listInSlices } from './list-in-slices.ts';
import { openLedger } from './open-ledger.ts';
import { explainSqliteError } from './sqlite-error.ts';
import { WriteQueue } from './write-queue.ts';

export interface EmbeddedStoreOptions {
  /** The database file. It is created with its folder if it is missing. SQLite keeps `<path>-wal` beside it. */
  readonly path: string;
  /** How many changes a watch can be behind before it ends with `STORE_COMPACTED`. Default 1000. */
  readonly historyLength?: number;
  /** What time-to-live is measured with. Default the system's clock. */
  readonly clock?: Clock;
}

export interface EmbeddedStore extends Store {
  readonly writer: StoreWriter;
}

/** The pause before a key is expired again when that failed, on a full disk for instance. Milliseconds. */
const expiryRetryMs = 1000;

/**
 * Opens the store that one machine keeps in one SQLite file, for this process alone. SQLite runs in the calling
 * thread; `docs/stores/embedded.md` has the figures that speak for it.
 * @throws GatewayError `STORE_LOCKED`, `STORE_CORRUPT`, `STORE_TOO_NEW`, `STORE_DENIED`, `STORE_FULL`, `STORE_UNREACHABLE`.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { path, historyLength = 1000, clock = systemClock } = options;
  const ledger = openLedger(path, clock.now());
  const { ino: inode } = statSync(path);
  const queue = new WriteQueue(commit, announce);
  const watchers = new Set<() => void>();
  let isClosed = false;
  let damage: GatewayError | undefined;
  let nextExpiry = ledger.nextExpiry();
  let cancelExpiry = (): void => {};

  function commit(writes: () => void): void {
    if (damage !== undefined) throw damage;
    try {
      checkSameFile(path, inode);
      nextExpiry = ledger.commit(() => {
        writes();
        ledger.trimHistory(historyLength);
        return ledger.nextExpiry();
      });
    } catch (error) {
      throw explain(error);
    }
  }

  /** A store that was found damaged is not touched again: more writes would make it worse. The next start sets it aside. */
  function explain(error: unknown): unknown {
    const explained = explainSqliteError(error, path);
    if (!isGatewayError(explained, 'STORE_CORRUPT')) return explained;
    damage ??= new GatewayError(
      'STORE_CORRUPT',
      `The store ${path} is damaged (${String(explained.detail['finding'])}): it is neither read nor written any more. What was read before serves on; restart the gateway to have the file checked.`,
      { cause: explained, detail: explained.detail },
    );
    return damage;
  }

  function announce(): void {
    for (const moved of watchers) moved();
    scheduleExpiry(nextExpiry);
  }

  function scheduleExpiry(at: number | undefined): void {
    cancelExpiry();
    if (isClosed || at === undefined) return;
    cancelExpiry = clock.after(Math.max(0, at - clock.now()), () => void expire());
  }

  async function expire(): Promise<void> {
    try {
      await queue.add(() => {
        for (const key of ledger.expiredKeys(clock.now())) ledger.remove(key);
      });
    } catch {
      // Whoever writes next is told what is wrong with the disk; the keys go once it is better.
      scheduleExpiry(clock.now() + expiryRetryMs);
    }
  }

  function checkOpen(): void {
    if (isClosed) throw new GatewayError('STORE_CLOSED', `The store ${path} is closed.`);
  }

  function read<T>(question: () => T): T {
    checkOpen();
    if (damage !== undefined) throw damage;
    try {
      return question();
    } catch (error) {
      throw explain(error);
    }
  }

  function put(key: string, value: string, { ttlSeconds }: PutOptions = {}): PutResult {
    return ledger.put(key, value, ttlSeconds === undefined ? undefined : clock.now() + ttlSeconds * 1000);
  }

  const writer: StoreWriter = {
    async get(key) {
      return read(() => ledger.get(key));
    },
    async list(prefix) {
      return listInSlices(ledger, prefix, read);
    },
    async put(key, value, putOptions) {
      checkOpen();
      checkTtl(putOptions?.ttlSeconds);
      return queue.add(() => put(key, value, putOptions));
    },
    async compareAndSwap(key, value, expected, putOptions) {
      checkOpen();
      checkTtl(putOptions?.ttlSeconds);
      return queue.add(() => {
        const found = ledger.get(key)?.modRevision ?? 0;
        if (found !== expected) throw storeConflict(key, expected, found);
        return put(key, value, putOptions);
      });
    },
    async delete(key, expected) {
      checkOpen();
      return queue.add(() => {
        const found = expected === undefined ? undefined : ledger.get(key)?.modRevision;
        if (expected !== undefined && found !== undefined && found !== expected) {
          throw storeConflict(key, expected, found);
        }
        return ledger.remove(key);
      });
    },
  };

  if (nextExpiry !== undefined && nextExpiry <= clock.now()) await expire();
  else scheduleExpiry(nextExpiry);

  return {
    name: 'embedded',
    writer,
    async load(signal) {
      signal.throwIfAborted();
      return read(() => ({ revision: ledger.revision, entries: ledger.list('') }));
    },
    async *watch(since, signal) {
      checkOpen();
      const after = (position: Revision): readonly StoreChange[] | undefined => {
        if (isClosed) return undefined;
        return read(() => {
          const { revision, forgotten } = ledger;
          if (position > revision) throw storeRewound(position, revision);
          if (position < forgotten) throw storeCompacted(position, forgotten);
          return position === revision ? [] : ledger.changesAfter(position);
        });
      };
      const onMoved = (callback: () => void): (() => void) => {
        watchers.add(callback);
        return () => watchers.delete(callback);
      };
      yield* watchHistory({ after, onMoved }, since, signal);
    },
    async close() {
      if (isClosed) return;
      queue.flush();
      // First: where that fails, the store is open as before.
      ledger.close();
      isClosed = true;
      cancelExpiry();
      for (const moved of watchers) moved();
    },
  };
}

/** A file that was taken away under an open store still takes writes, and they are lost with the process. */
function checkSameFile(path: string, inode: number): void {
  if (statSync(path, { throwIfNoEntry: false })?.ino === inode) return;
  throw new GatewayError(
    'STORE_UNREACHABLE',
    `The store ${path} was moved, removed or replaced while it is in use: restart the gateway.`,
    { detail: { path } },
  );
}
