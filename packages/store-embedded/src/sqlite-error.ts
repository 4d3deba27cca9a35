import { GatewayError } from '@apisix-ts/errors';
import { findLockHolder } from './lock-holder.ts';
import type { SetAside } from './set-aside.ts';

/** Result codes of SQLite (sqlite.org/rescode.html); an extended code has its primary one in the low byte. */
/** The tables are not what they should be: every statement is prepared when the store is opened. */
const ERROR = 1;
const PERM = 3;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
/** Extended. A quota or a limit on the size of files ends here; a full disk is `FULL`. */
const IOERR_WRITE = 778;
/** Extended. A file that was opened for reading only, or is on a file system without locks. */
const IOERR_LOCK = 3850;

/** Puts an error of SQLite into the words of a store. Any other error comes back as it is. */
export function explainSqliteError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const { errcode, message } = error;
  const options = { cause: error, detail: { path, sqlite: errcode } };
  switch (errcode === IOERR_WRITE || errcode === IOERR_LOCK ? errcode : errcode & 0xff) {
    case BUSY:
    case LOCKED:
      return storeLocked(path, error);
    case ERROR:
    case CORRUPT:
    case NOTADB:
      return storeCorrupt(path, message, error);
    case FULL:
    case IOERR_WRITE:
      return new GatewayError(
        'STORE_FULL',
        `The store ${path} cannot grow: the disk, a quota or the limit on file sizes is used up; nothing was written.`,
        options,
      );
    case PERM:
    case IOERR_LOCK:
    case READONLY:
    case CANTOPEN:
      return new GatewayError(
        'STORE_DENIED',
        `The store ${path} cannot be opened or written: ${message}.`,
        options,
      );
    default:
      return new GatewayError(
        'STORE_UNREACHABLE',
        `The disk failed under the store ${path}: ${message}.`,
        options,
      );
  }
}

export function storeCorrupt(path: string, finding: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'STORE_CORRUPT',
    `The store ${path} is damaged or no store (${finding}) and is left as it is: put a backup in its place, or move it away to start empty.`,
    { cause, detail: { path, finding } },
  );
}

/** The file is fine, and not ours. */
export function storeForeign(path: string): GatewayError {
  return new GatewayError(
    'STORE_CORRUPT',
    `The store ${path} is a database of something else and is left as it is: let deployment.embedded.path name another file.`,
    { detail: { path, finding: 'it is a database of something else', isForeign: true } },
  );
}

/** It is out of the way, and stays so until somebody decides what to go on with. */
export function storeDamaged(path: string, damaged: SetAside, cause?: unknown): GatewayError {
  const { finding, keptAs, foundAt } = damaged;
  return new GatewayError(
    'STORE_CORRUPT',
    `The store ${path} was found damaged at ${foundAt} (${finding}) and is kept as ${keptAs}; there is a note in its place. ` +
      `Put a backup there, or remove the note to start empty: "apisix import FILE" then loads what "apisix export" wrote.`,
    { cause, detail: { path, ...damaged } },
  );
}

function storeLocked(path: string, cause: unknown): GatewayError {
  const pid = findLockHolder(path);
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return new GatewayError(
    'STORE_LOCKED',
    `The store ${path} is in use by ${holder}; one gateway at a time can have it.`,
    { cause, detail: { path, pid } },
  );
}
