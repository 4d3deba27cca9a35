import {
  existsSync,
  linkSync,
  openSync,
  closeSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isUtf8 } from 'node:buffer';

/** A damaged store that was moved out of the way. */
export interface SetAside {
  /** What is wrong with it, in SQLite's words or ours. */
  readonly finding: string;
  /** Where its file is now; its log, if there is one, is at this path with `-wal`. */
  readonly keptAs: string;
  /** When that was found, as ISO 8601 has it. */
  readonly foundAt: string;
}

const firstLine = 'This is a note and no store: the store that was in this place is damaged.';

/**
 * Moves a damaged store, with its log, to a name with a time stamp beside it, and leaves a note in its place. The note
 * is no database, so that nothing takes the place for an empty one: not the next start, nor an older version.
 * @throws an error of the system; the store is where it was then.
 */
export function setAside(path: string, finding: string, nowMs: number): SetAside {
  const foundAt = new Date(nowMs).toISOString();
  const keptAs = `${path}.damaged-${foundAt.replaceAll(/[-:]/g, '')}`;
  const damaged = { finding, keptAs, foundAt };
  const draft = `${keptAs}.note`;
  try {
    writeFileSync(draft, note(path, damaged), { mode: 0o600, flag: 'wx' });
    // A second name first: at no moment is there nothing in the store's place.
    linkSync(path, keptAs);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  moveLog(path, keptAs);
  return damaged;
}

/**
 * Reads the note in a store's place.
 * @returns undefined when what is there is none.
 */
export function readNote(path: string): SetAside | undefined {
  const text = beginningOf(path).toString('utf8');
  if (!text.startsWith(firstLine)) return undefined;
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? 'unknown';
  const damaged = { finding: field('finding'), keptAs: field('kept as'), foundAt: field('found at') };
  // In case the process that wrote the note ended before it got to the log.
  if (existsSync(damaged.keptAs)) moveLog(path, damaged.keptAs);
  return damaged;
}

/** Someone's text, a configuration for instance, to which a path leads by mistake. */
export function isText(path: string): boolean {
  const bytes = beginningOf(path);
  // The last character may be cut.
  const whole = bytes.subarray(0, Math.max(0, bytes.length - 3));
  return isUtf8(whole) && !whole.includes(0);
}

function moveLog(path: string, keptAs: string): void {
  const log = `${path}-wal`;
  const file = statSync(log, { throwIfNoEntry: false });
  if (file === undefined) return;
  // An empty one is there only because somebody looked at the store.
  if (file.size === 0) rmSync(log);
  else renameSync(log, `${keptAs}-wal`);
}

function note(path: string, { finding, keptAs, foundAt }: SetAside): string {
  return `${firstLine}

finding: ${finding}
found at: ${foundAt}
kept as: ${keptAs}

The gateway does not start while this note is here. Either
- put a backup in its place: ${path}
- or remove this file, and the gateway starts empty; "apisix import FILE" then loads what "apisix export" wrote.
`;
}

function beginningOf(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(4096);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}
