import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Ledger } from './ledger.ts';
import { applicationId, createSchema, schemaVersion } from './schema.ts';
import { isText, readNote, setAside } from './set-aside.ts';
import { explainSqliteError, storeCorrupt, storeDamaged, storeForeign } from './sqlite-error.ts';

/**
 * Opens the store's file for this process alone, and creates it with its folder if there is none, readable by its
 * owner only. A damaged store is set aside, and none is opened in its place; a file of something else is left alone.
 * @param nowMs for the name of a damaged one; milliseconds since 1970.
 * @throws GatewayError `STORE_LOCKED`, `STORE_CORRUPT`, `STORE_TOO_NEW`, `STORE_DENIED`, `STORE_FULL`, `STORE_UNREACHABLE`.
 */
export function openLedger(path: string, nowMs: number): Ledger {
  const isNew = provideFile(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    // Held from the first read to the close. With it, SQLite needs no shared memory beside the file.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    if (isNew) createSchema(database);
    else checkStore(database, path);
    // FULL: the write-ahead log is on the disk before a commit returns.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    return new Ledger(database);
  } catch (error) {
    const explained = explainSqliteError(error, path);
    // Before the database is closed, which holds the lock, and removes the log.
    const reason = isNew ? explained : keepDamaged(path, explained, nowMs);
    database?.close();
    // This call made it, and it never held a write.
    if (isNew) rmSync(path, { force: true });
    throw reason;
  }
}

/** Sets a store aside that was found damaged. @returns what to tell about it. */
function keepDamaged(path: string, error: unknown, nowMs: number): unknown {
  if (!isGatewayError(error, 'STORE_CORRUPT') || error.detail['isForeign'] === true) return error;
  if (isText(path)) return storeCorrupt(path, 'it is a text', error);
  const finding = String(error.detail['finding']);
  try {
    return storeDamaged(path, setAside(path, finding, nowMs), error);
  } catch (cause) {
    // A folder or a disk that does not permit it. The file stays in the way of a start, so nothing is lost by that.
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    return storeCorrupt(path, `${finding}; it could not be set aside: ${cause.message}`, error);
  }
}

/** @returns whether the file was made by this call; it is empty then. */
function provideFile(path: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK);
    if (existsSync(path)) {
      accessSync(path, constants.R_OK | constants.W_OK);
      refuseOther(path);
      return false;
    }
    if (existsSync(`${path}-wal`))
      throw storeCorrupt(path, `it is missing, and its log ${path}-wal is there`);
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if (error instanceof GatewayError || !(error instanceof Error)) throw error;
    const isFull = 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
    throw new GatewayError(
      isFull ? 'STORE_FULL' : 'STORE_DENIED',
      `The store ${path} must be a file in a folder that this user can read and write: ${error.message}.`,
      { cause: error, detail: { path } },
    );
  }
}

/** What SQLite would take for something else, or for a new database. */
function refuseOther(path: string): void {
  const file = statSync(path);
  if (!file.isFile()) throw storeCorrupt(path, 'it is not a regular file');
  // Whoever emptied it would learn nothing.
  if (file.size === 0) throw storeCorrupt(path, 'it is empty');
  const note = readNote(path);
  if (note !== undefined) throw storeDamaged(path, note);
}

/** Reads all of the file, at the speed of the disk, and compares the indexes with the tables. */
function checkStore(database: DatabaseSync, path: string): void {
  // SQLite takes what is shorter than a header for a new database.
  if (pragma(database, 'page_count') === 0) throw storeCorrupt(path, 'it is cut off in its header');
  if (pragma(database, 'application_id') !== applicationId) {
    throw storeForeign(path);
  }
  const version = Number(pragma(database, 'user_version'));
  if (version > schemaVersion) {
    throw new GatewayError(
      'STORE_TOO_NEW',
      `The store ${path} has format ${version}, and this gateway knows formats up to ${schemaVersion}.`,
      { detail: { path, version, schemaVersion } },
    );
  }
  const finding = pragma(database, 'integrity_check(1)');
  if (finding !== 'ok') throw storeCorrupt(path, oneLine(String(finding)));
}

/** SQLite's finding begins with a line about which database it means. */
function oneLine(finding: string): string {
  return finding.replace('*** in database main ***', '').replaceAll(/\s+/g, ' ').trim();
}

function pragma(database: DatabaseSync, name: string): unknown {
  const row: object = database.prepare(`PRAGMA ${name}`).get() ?? {};
  return Object.values(row)[0];
}
