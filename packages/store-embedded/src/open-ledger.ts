import { GatewayError } from '@apisix-ts/errors';
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Ledger } from './ledger.ts';
import { applicationId, createSchema, schemaVersion } from './schema.ts';
import { explainSqliteError, storeCorrupt } from './sqlite-error.ts';

/**
 * Opens the store's file for this process alone, and creates it with its folder if there is none, readable by its
 * owner only. A file that is not a healthy store is never changed.
 * @throws GatewayError `STORE_LOCKED`, `STORE_CORRUPT`, `STORE_TOO_NEW`, `STORE_DENIED`, `STORE_FULL`, `STORE_UNREACHABLE`.
 */
export function openLedger(path: string): Ledger {
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
    database?.close();
    // This call made it, and it never held a write.
    if (isNew) rmSync(path, { force: true });
    throw explainSqliteError(error, path);
  }
}

/** @returns whether the file was made by this call; it is empty then. */
function provideFile(path: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK);
    if (existsSync(path)) {
      accessSync(path, constants.R_OK | constants.W_OK);
    } else {
      if (existsSync(`${path}-wal`))
        throw storeCorrupt(path, `it is missing, and its log ${path}-wal is there`);
      closeSync(openSync(path, 'wx', 0o600));
      return true;
    }
  } catch (error) {
    if (error instanceof GatewayError || !(error instanceof Error)) throw error;
    const isFull = 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
    throw new GatewayError(
      isFull ? 'STORE_FULL' : 'STORE_DENIED',
      `The store ${path} must be a file in a folder that this user can read and write: ${error.message}.`,
      { cause: error, detail: { path } },
    );
  }
  const file = statSync(path);
  if (!file.isFile()) throw storeCorrupt(path, 'it is not a regular file');
  // SQLite would take it for a new database, and whoever emptied it would learn nothing.
  if (file.size === 0) throw storeCorrupt(path, 'it is empty');
  return false;
}

/** Reads all of the file, at the speed of the disk. */
function checkStore(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId) {
    throw storeCorrupt(path, 'it is a database of something else');
  }
  const version = Number(pragma(database, 'user_version'));
  if (version > schemaVersion) {
    throw new GatewayError(
      'STORE_TOO_NEW',
      `The store ${path} has format ${version}, and this gateway knows formats up to ${schemaVersion}.`,
      { detail: { path, version, schemaVersion } },
    );
  }
  const finding = pragma(database, 'quick_check(1)');
  if (finding !== 'ok') throw storeCorrupt(path, String(finding));
}

function pragma(database: DatabaseSync, name: string): unknown {
  const row: object = database.prepare(`PRAGMA ${name}`).get() ?? {};
  return Object.values(row)[0];
}
