import { setImmediate } from 'node:timers/promises';
import type { Revision, Store, StoreChange, StoreSnapshot, StoreWriter } from '@apisix-ts/config';

/** What a lease needs of a store. */
type HeldStore = Store & { readonly writer: StoreWriter };

/**
 * A store that one process at a time can have open, and that changes hands while others use it here: what they ask
 * meanwhile waits, and watches go on where they were.
 */
export class StoreLease implements Store {
  readonly name: string;
  readonly writer: StoreWriter;
  readonly #open: () => Promise<HeldStore>;
  #held: HeldStore | undefined;
  #holder = newHolder();
  /** Settles when the store is closed, or held again. */
  #releasing: Promise<unknown> | undefined;

  /** @param open is called at the first load, and when the lease is taken again. */
  constructor(name: string, open: () => Promise<HeldStore>) {
    this.name = name;
    this.#open = open;
    this.writer = {
      get: async (...args) => (await this.#writer()).get(...args),
      list: async (...args) => (await this.#writer()).list(...args),
      put: async (...args) => (await this.#writer()).put(...args),
      compareAndSwap: async (...args) => (await this.#writer()).compareAndSwap(...args),
      delete: async (...args) => (await this.#writer()).delete(...args),
    };
  }

  /** Opens the store; idempotent. Rejects with `STORE_*`, and so does what waited for it; the next load tries again. */
  async take(): Promise<void> {
    await this.#releasing;
    if (this.#held !== undefined) return;
    try {
      this.#give(await this.#open());
    } catch (error) {
      this.#holder.reject(error);
      this.#holder = newHolder();
      throw error;
    }
  }

  /**
   * Carries out what is under way, and closes the store. What is asked from now on waits. Rejects when it cannot be closed;
   * then it is held as before.
   */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    this.#holder = newHolder();
    const releasing = this.#close(held);
    this.#releasing = releasing.catch(() => {
      // Whoever releases it is told.
    });
    await releasing;
  }

  /** Another process has the store for good: what waits goes there. It tells of no changes. */
  giveTo(writer: StoreWriter): void {
    this.#give(new GivenStore(this.name, writer));
  }

  async load(signal: AbortSignal): Promise<StoreSnapshot> {
    await this.take();
    const held = await this.#holder.promise;
    return held.load(signal);
  }

  async *watch(since: Revision, signal: AbortSignal): AsyncIterable<StoreChange> {
    let position = since;
    for (;;) {
      const held = await Promise.race([this.#holder.promise, aborted(signal)]);
      if (held === undefined) return;
      try {
        for await (const change of held.watch(position, signal)) {
          position = change.revision;
          yield change;
        }
      } catch (error) {
        if (held === this.#held) throw error;
      }
      // Its end was that of the lease: it goes on with the next holder.
      if (held === this.#held) return;
    }
  }

  async close(): Promise<void> {
    await this.#held?.close();
  }

  async #close(held: HeldStore): Promise<void> {
    // Whoever waited for the holder until now has asked it then.
    await setImmediate();
    try {
      await held.close();
    } catch (error) {
      this.#give(held);
      throw error;
    }
  }

  async #writer(): Promise<StoreWriter> {
    return (await this.#holder.promise).writer;
  }

  #give(store: HeldStore): void {
    this.#held = store;
    this.#holder.resolve(store);
  }
}

/** A store that is another process's. */
class GivenStore implements HeldStore {
  readonly name: string;
  readonly writer: StoreWriter;

  constructor(name: string, writer: StoreWriter) {
    this.name = name;
    this.writer = writer;
  }

  load(): Promise<StoreSnapshot> {
    return this.writer.list('');
  }

  watch(_since: Revision, signal: AbortSignal): AsyncIterable<StoreChange> {
    const next = async (): Promise<IteratorResult<StoreChange>> => ({
      done: true,
      value: await aborted(signal),
    });
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async close(): Promise<void> {
    // Its owner closes it.
  }
}

function newHolder(): PromiseWithResolvers<HeldStore> {
  const holder = Promise.withResolvers<HeldStore>();
  holder.promise.catch(() => {
    // Whoever waits for it is told; there may be nobody.
  });
  return holder;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
