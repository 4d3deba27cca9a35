import { systemClock } from '@apisix-ts/config';
import type { Clock, Revision, StoreEntry } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { Log } from '../log.ts';
import type { SnapshotFile } from './snapshot-file.ts';
import type { KeptSnapshot } from './snapshot-format.ts';

/** Changes that come together are written together. */
const SETTLE_MS = 1_000;
/** From the end of one write to the start of the next. */
const PAUSE_MS = 5_000;
/** The pause is at least this many times as long as the write took, so that writing never takes over. */
const PAUSE_FACTOR = 20;

export interface SnapshotKeeperOptions {
  readonly file: SnapshotFile;
  /** What to keep, as of the call. */
  readonly content: () => { readonly revision: Revision; readonly entries: readonly StoreEntry[] };
  readonly log: Log;
  /** Default the system's clock. */
  readonly clock?: Clock;
}

/** What is on disk, as far as this process knows. */
export interface KeptStatus {
  readonly path: string;
  /** Absent: nothing was written or read yet. */
  readonly revision?: Revision;
  /** Milliseconds since 1970. */
  readonly savedAtMs?: number;
  /** Why the last write failed. */
  readonly error?: GatewayError;
}

/** Keeps a snapshot on disk up to date: a second after a change, and at most every five seconds. */
export class SnapshotKeeper {
  readonly #file: SnapshotFile;
  readonly #content: SnapshotKeeperOptions['content'];
  readonly #log: Log;
  readonly #clock: Clock;
  #kept: Pick<KeptSnapshot, 'revision' | 'savedAtMs'> | undefined;
  #error: GatewayError | undefined;
  #isOutdated = false;
  #isClosed = false;
  #notBeforeMs = 0;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;

  constructor({ file, content, log, clock = systemClock }: SnapshotKeeperOptions) {
    this.#file = file;
    this.#content = content;
    this.#log = log;
    this.#clock = clock;
  }

  get status(): KeptStatus {
    return {
      path: this.#file.path,
      ...(this.#kept === undefined ? {} : { revision: this.#kept.revision, savedAtMs: this.#kept.savedAtMs }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  /** Looks at what a former process left; what cannot be used is reported and set aside. Never rejects. */
  async open(): Promise<void> {
    this.#kept = await this.#attempt(() => this.#file.header());
  }

  /** What a former process left, if it can be used; otherwise the log says why. Never rejects. */
  async read(): Promise<KeptSnapshot | undefined> {
    if (this.#kept === undefined) return undefined;
    const snapshot = await this.#attempt(() => this.#file.read());
    this.#kept = snapshot;
    return snapshot;
  }

  /** The content has changed. */
  changed(): void {
    this.#isOutdated = true;
    if (this.#isClosed || this.#cancel !== undefined || this.#writing !== undefined) return;
    const delayMs = Math.max(SETTLE_MS, this.#notBeforeMs - this.#clock.now());
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#cancel = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#isOutdated) this.changed();
      });
    });
  }

  /** Writes what has changed since the last write, and writes no more. Idempotent, never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#writing;
    if (this.#isOutdated) await this.#write();
  }

  async #write(): Promise<void> {
    this.#isOutdated = false;
    const startMs = this.#clock.now();
    const { revision, entries } = this.#content();
    try {
      await this.#file.write({ revision, savedAtMs: startMs, entries });
      if (this.#error !== undefined)
        this.#log('notice', 'the snapshot is kept again', { path: this.#file.path });
      this.#kept = { revision, savedAtMs: startMs };
      this.#error = undefined;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      // Tried again after the pause, and told once.
      this.#isOutdated = !this.#isClosed;
      if (this.#error?.message !== error.message) this.#report(error);
      this.#error = error;
    }
    const endMs = this.#clock.now();
    this.#notBeforeMs = endMs + Math.max(PAUSE_MS, PAUSE_FACTOR * (endMs - startMs));
  }

  async #attempt<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#report(error);
      return undefined;
    }
  }

  #report(error: GatewayError): void {
    this.#log('error', 'the last configuration cannot be kept on disk, or what is there cannot be used', {
      code: error.code,
      reason: error.message,
    });
  }
}
