import { followStore } from '@apisix-ts/config';
import type { DocumentBatch, DocumentSet, FollowState, Store } from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import type { Log } from '../log.ts';
import { SnapshotFile } from './snapshot-file.ts';
import type { SnapshotOrigin } from './snapshot-format.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { KeptStatus } from './snapshot-keeper.ts';

/** Where the last configuration is kept on disk, and whose it is. */
export interface SnapshotOptions {
  /** Absolute. Its folder is made; what is there and cannot be used is renamed. */
  readonly path: string;
  readonly origin: SnapshotOrigin;
}

export interface ConfigurationSourceOptions {
  readonly store: Store;
  /** Absent: nothing is kept. */
  readonly snapshot?: SnapshotOptions;
  /** With a snapshot, one that keeps text. */
  readonly documents: DocumentSet;
  readonly publish: (batch: DocumentBatch) => void;
  /** The first load has failed after so many attempts. At least 1. */
  readonly startupTries: number;
  /** Of `FollowOptions`. */
  readonly retryDelaysMs: readonly number[];
  readonly log: Log;
}

/** The snapshot on disk. */
export interface SnapshotStatus extends KeptStatus {
  /** What is in effect comes from it: the store could not be loaded since the start. */
  readonly isServing: boolean;
}

/**
 * Where the documents come from: the store, followed for ever; or, until it can be loaded for the first time, the
 * snapshot that was kept on disk.
 */
export class ConfigurationSource {
  readonly #options: ConfigurationSourceOptions;
  readonly #keeper: SnapshotKeeper | undefined;
  readonly #ending = new AbortController();
  #following: Promise<void> | undefined;
  #state: FollowState = { state: 'connecting', since: Date.now() };
  #isLoaded = false;
  #isServingSnapshot = false;

  constructor(options: ConfigurationSourceOptions) {
    const { snapshot, documents, log } = options;
    this.#options = options;
    if (snapshot === undefined) return;
    this.#keeper = new SnapshotKeeper({
      file: new SnapshotFile(snapshot.path, snapshot.origin),
      content: () => ({ revision: documents.revision, entries: [...documents.stored()] }),
      log,
    });
  }

  get store(): FollowState {
    return this.#state;
  }

  /** Undefined when none is kept. */
  get snapshot(): SnapshotStatus | undefined {
    return this.#keeper && { ...this.#keeper.status, isServing: this.#isServingSnapshot };
  }

  /**
   * Follows the store from now on; settles when the documents are there. Rejects with the store's error when it cannot
   * be loaded and there is no snapshot.
   */
  async start(): Promise<void> {
    await this.#keeper?.open();
    const { documents, publish, store, startupTries, retryDelaysMs, log } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let failures = 0;
    const following = followStore(store, {
      signal: this.#ending.signal,
      retryDelaysMs,
      onSnapshot: (snapshot) => {
        this.#isLoaded = true;
        this.#isServingSnapshot = false;
        publish(documents.load(snapshot));
        this.#keeper?.changed();
        resolve();
      },
      onChange: (change) => {
        publish(documents.apply(change));
        this.#keeper?.changed();
      },
      onState: (state) => {
        this.#tell(state);
        this.#state = state;
        if (state.state !== 'away') return;
        failures += 1;
        if (failures === startupTries && !this.#isLoaded)
          this.#startFromSnapshot(state.error).then(resolve, reject);
      },
    });
    this.#following = following.catch((error: unknown) => {
      reject(error);
      // No store failure ends the following. What does is a store that its owner closed, or a defect, which ends the process.
      if (!isGatewayError(error)) {
        queueMicrotask(() => {
          throw error;
        });
        return;
      }
      log('error', 'the store is no longer followed', { code: error.code, reason: error.message });
    });
    return promise;
  }

  /** Ends the following, and writes what the snapshot lacks. Idempotent. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#following;
    await this.#keeper?.close();
  }

  /** Rejects with `unreachable` when there is no snapshot that can be used. */
  async #startFromSnapshot(unreachable: GatewayError): Promise<void> {
    const { documents, publish, store, log } = this.#options;
    const kept = await this.#keeper?.read();
    // The store may have come back while the file was read.
    if (this.#isLoaded) return;
    if (kept === undefined) throw unreachable;
    this.#isServingSnapshot = true;
    publish(documents.load(kept));
    log('warn', 'the store cannot be loaded; serving the last snapshot kept on disk', {
      store: store.name,
      path: this.#keeper?.status.path,
      revision: kept.revision,
      saved_at: new Date(kept.savedAtMs).toISOString(),
      age_s: Math.round((Date.now() - kept.savedAtMs) / 1000),
    });
  }

  #tell(state: FollowState): void {
    const { store, log } = this.#options;
    if (state.state === 'away') {
      const isServing = this.#isLoaded || this.#isServingSnapshot;
      const meanwhile = isServing ? 'the last configuration keeps serving' : 'nothing is loaded yet';
      log('error', `the store is away; ${meanwhile}`, { store: store.name, reason: state.error.message });
    }
    if (state.state === 'following' && this.#state.state === 'away') {
      log('notice', 'the store is back', {
        store: store.name,
        revision: state.revision,
        away_s: Math.round((Date.now() - this.#state.since) / 1000),
      });
    }
  }
}
