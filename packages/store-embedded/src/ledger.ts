import type { PutResult, Revision, StoreChange, StoreEntry } from '@apisix-ts/config';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

type Row = Readonly<Record<string, SQLOutputValue>>;

/** How many changes are read at once. In the statement's text: with a parameter there, SQLite prepares it anew each time. */
const CHANGES_AT_ONCE = 100;

/**
 * The store's tables, one method a question. All of it is synchronous; writes happen inside `commit`. Nobody else has
 * the database open, so what every write asks for is kept in memory as well.
 */
export class Ledger {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof prepareStatements>;
  #revision: Revision;
  #forgotten: Revision;
  #nextExpiry: number | undefined;
  /** A time-to-live came or went. */
  #isExpiryStale = false;
  /** The changes of this commit, and of the last one: who follows them closely needs no reading. */
  #made: StoreChange[] = [];
  #latest: readonly StoreChange[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = prepareStatements(database);
    this.#revision = this.#readRevision();
    this.#forgotten = this.#readForgotten();
    this.#nextExpiry = this.#readNextExpiry();
  }

  /** Runs the writes as one transaction: durable when it returns, without a trace when it throws. */
  commit<T>(writes: () => T): T {
    const revision = this.#revision;
    const forgotten = this.#forgotten;
    this.#sql.begin.run();
    try {
      const result = writes();
      this.#sql.commit.run();
      this.#latest = this.#made;
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#revision = revision;
      this.#forgotten = forgotten;
      this.#isExpiryStale = true;
      throw error;
    } finally {
      this.#made = [];
    }
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** The revision up to which the history is forgotten. */
  get forgotten(): Revision {
    return this.#forgotten;
  }

  get(key: string): StoreEntry | undefined {
    const row = this.#sql.get.get(key);
    return row === undefined ? undefined : toEntry(row);
  }

  /**
   * Entries whose key begins with `prefix`, in the order of the keys.
   * @param from the least key to look at.
   * @param limit the most entries.
   */
  list(prefix: string, from: string = prefix, limit: number = Infinity): StoreEntry[] {
    const entries: StoreEntry[] = [];
    // Keys that share a prefix are neighbours: read on from it until one does not.
    for (const row of this.#sql.list.iterate(from)) {
      const entry = toEntry(row);
      if (!entry.key.startsWith(prefix)) break;
      entries.push(entry);
      if (entries.length === limit) break;
    }
    return entries;
  }

  put(key: string, value: string, expiresAt: number | undefined): PutResult {
    const previous = this.get(key);
    if (expiresAt !== undefined || previous?.expires === true) this.#isExpiryStale = true;
    const revision = this.#advance();
    const createRevision = previous?.createRevision ?? revision;
    this.#sql.put.run(key, value, createRevision, revision, expiresAt ?? null);
    this.#sql.record.run(revision, key, value, createRevision);
    const entry: StoreEntry = { key, value, createRevision, modRevision: revision };
    this.#made.push({ revision, events: [{ type: 'put', entry }] });
    return previous === undefined ? { revision } : { revision, previous };
  }

  remove(key: string): { readonly revision: Revision; readonly previous: StoreEntry } | undefined {
    const previous = this.get(key);
    if (previous === undefined) return undefined;
    if (previous.expires === true) this.#isExpiryStale = true;
    const revision = this.#advance();
    this.#sql.remove.run(key);
    this.#sql.record.run(revision, key, null, null);
    this.#made.push({ revision, events: [{ type: 'delete', key }] });
    return { revision, previous };
  }

  /** The next changes, oldest first, some at a time. */
  changesAfter(since: Revision): readonly StoreChange[] {
    if (this.#latest[0]?.revision === since + 1) return this.#latest;
    return this.#sql.changes.all(since).map((row) => toChange(row));
  }

  /** Forgets all changes but the last `length`, or up to an eighth more: not at every write. */
  trimHistory(length: number): void {
    if (this.#revision - this.#forgotten <= length + Math.floor(length / 8)) return;
    this.#forgotten = this.#revision - length;
    this.#sql.trim.run(this.#forgotten);
  }

  /** The keys whose time is over, the earliest first. */
  expiredKeys(nowMs: number): string[] {
    return this.#sql.expired.all(nowMs).map((row) => text(row, 'key'));
  }

  /** When the next key's time is over, in milliseconds since 1970; `undefined` when none has one. */
  nextExpiry(): number | undefined {
    if (this.#isExpiryStale) this.#nextExpiry = this.#readNextExpiry();
    this.#isExpiryStale = false;
    return this.#nextExpiry;
  }

  close(): void {
    this.#database.close();
  }

  #advance(): Revision {
    this.#revision += 1;
    this.#sql.advance.run(this.#revision);
    return this.#revision;
  }

  #readRevision(): Revision {
    return whole(this.#sql.revision.get(), 'revision');
  }

  #readForgotten(): Revision {
    const row = this.#sql.oldestChange.get();
    return row?.['revision'] === null ? this.#revision : whole(row, 'revision') - 1;
  }

  #readNextExpiry(): number | undefined {
    const row = this.#sql.nextExpiry.get();
    return row?.['expires_at'] === null ? undefined : whole(row, 'expires_at');
  }
}

// Inferred: prepared statements by name.
function prepareStatements(database: DatabaseSync) {
  const columns = 'key, value, create_revision, mod_revision, expires_at';
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    revision: database.prepare('SELECT revision FROM position'),
    advance: database.prepare('UPDATE position SET revision = ?'),
    get: database.prepare(`SELECT ${columns} FROM entry WHERE key = ?`),
    list: database.prepare(`SELECT ${columns} FROM entry WHERE key >= ? ORDER BY key`),
    // In its place: replacing would delete the row, and write the index and another part of the table too.
    put: database.prepare(
      `INSERT INTO entry (${columns}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
        value = excluded.value, mod_revision = excluded.mod_revision, expires_at = excluded.expires_at`,
    ),
    remove: database.prepare('DELETE FROM entry WHERE key = ?'),
    record: database.prepare('INSERT INTO change VALUES (?, ?, ?, ?)'),
    changes: database.prepare(
      `SELECT * FROM change WHERE revision > ? ORDER BY revision LIMIT ${CHANGES_AT_ONCE}`,
    ),
    oldestChange: database.prepare('SELECT min(revision) AS revision FROM change'),
    trim: database.prepare('DELETE FROM change WHERE revision <= ?'),
    expired: database.prepare('SELECT key FROM entry WHERE expires_at <= ? ORDER BY expires_at, key'),
    nextExpiry: database.prepare(
      'SELECT min(expires_at) AS expires_at FROM entry WHERE expires_at IS NOT NULL',
    ),
  };
}

function toEntry(row: Row): StoreEntry {
  return {
    key: text(row, 'key'),
    value: text(row, 'value'),
    createRevision: whole(row, 'create_revision'),
    modRevision: whole(row, 'mod_revision'),
    ...(row['expires_at'] !== null && { expires: true }),
  };
}

function toChange(row: Row): StoreChange {
  const revision = whole(row, 'revision');
  const key = text(row, 'key');
  if (row['value'] === null) return { revision, events: [{ type: 'delete', key }] };
  const createRevision = whole(row, 'create_revision');
  const entry = { key, value: text(row, 'value'), createRevision, modRevision: revision };
  return { revision, events: [{ type: 'put', entry }] };
}

// The tables are STRICT, so a column of another type is our mistake and not the data's.
function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`${column} is ${typeof value}, expected text.`);
  return value;
}

function whole(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== 'number') throw new TypeError(`${column} is ${typeof value}, expected a number.`);
  return value;
}
