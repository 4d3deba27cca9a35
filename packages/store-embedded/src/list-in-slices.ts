import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoreEntry, StoreSnapshot } from '@apisix-ts/config';
import type { Ledger } from './ledger.ts';

/** Entries of one slice: some 2 ms of work. */
const sliceLength = 500;

/** Attempts to read in slices while others write. */
const attempts = 3;

/**
 * The entries below a prefix, all at one revision. They are read in slices, between which the thread does other work;
 * only when writes keep coming in between is everything read at once.
 * @param read wraps each access: it throws when the store is closed, and explains errors.
 */
export async function listInSlices(
  ledger: Ledger,
  prefix: string,
  read: <T>(question: () => T) => T,
): Promise<StoreSnapshot> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const snapshot = await listUnchanged(ledger, prefix, read);
    if (snapshot !== undefined) return snapshot;
  }
  return read(() => ({ revision: ledger.revision, entries: ledger.list(prefix) }));
}

/** @returns undefined when something was written in between. */
async function listUnchanged(
  ledger: Ledger,
  prefix: string,
  read: <T>(question: () => T) => T,
): Promise<StoreSnapshot | undefined> {
  const revision = read(() => ledger.revision);
  const entries: StoreEntry[] = [];
  for (let from = prefix; ;) {
    const slice = read(() => ledger.list(prefix, from, sliceLength));
    entries.push(...slice);
    const last = slice.at(-1);
    if (last === undefined || slice.length < sliceLength) return { revision, entries };
    from = `${last.key}\0`;
    await nextTurn();
    if (read(() => ledger.revision) !== revision) return undefined;
  }
}
