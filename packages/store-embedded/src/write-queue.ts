import { isGatewayError } from '@apisix-ts/errors';

/** How many writes share a commit at most, so that a burst does not hold up the thread. */
const batchLimit = 200;

interface QueuedWrite {
  /** @returns what to call once the commit is durable. */
  readonly execute: () => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs writes in the order they came. Those of one turn of the event loop share a transaction, and so one wait for
 * the disk.
 */
export class WriteQueue {
  readonly #commit: (writes: () => void) => void;
  readonly #committed: () => void;
  readonly #writes: QueuedWrite[] = [];
  #turn: NodeJS.Immediate | undefined;

  /**
   * @param commit makes what the callback writes durable before it returns, or throws and leaves nothing of it.
   * @param committed is told afterwards.
   */
  constructor(commit: (writes: () => void) => void, committed: () => void) {
    this.#commit = commit;
    this.#committed = committed;
  }

  /** The write may throw `STORE_CONFLICT`, having written nothing: it alone rejects. Any other error undoes the batch. */
  add<T>(write: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const execute = (): (() => void) => {
      try {
        const result = write();
        return () => resolve(result);
      } catch (error) {
        if (!isGatewayError(error, 'STORE_CONFLICT')) throw error;
        return () => reject(error);
      }
    };
    this.#writes.push({ execute, reject });
    this.#turn ??= setImmediate(() => this.#runBatch());
    return promise;
  }

  /** Runs all that wait, now. */
  flush(): void {
    while (this.#writes.length > 0) this.#runBatch();
  }

  #runBatch(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const batch = this.#writes.splice(0, batchLimit);
    if (this.#writes.length > 0) this.#turn = setImmediate(() => this.#runBatch());
    const settle: (() => void)[] = [];
    try {
      this.#commit(() => settle.push(...batch.map(({ execute }) => execute())));
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const each of settle) each();
    this.#committed();
  }
}
