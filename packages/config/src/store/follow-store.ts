import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { Revision, Store, StoreChange, StoreSnapshot } from './store.ts';

/** How it stands between a follower and its store. `since` is when that began, in milliseconds since 1970. */
export type FollowState =
  /** Nothing was loaded yet. */
  | { readonly state: 'connecting'; readonly since: number }
  /** Loaded at `revision`, and changes arrive as they are made. */
  | { readonly state: 'following'; readonly since: number; readonly revision: Revision }
  /** The last attempt failed with `error`, and attempts go on. What was delivered, up to `revision`, stays valid. */
  | {
      readonly state: 'away';
      readonly since: number;
      readonly revision: Revision | undefined;
      readonly error: GatewayError;
    };

export interface FollowOptions {
  /** All of the store, at first and whenever changes in between may be unknown: compare it with what you have. */
  readonly onSnapshot: (snapshot: StoreSnapshot) => void;
  /** The next change after the last snapshot or change. */
  readonly onChange: (change: StoreChange) => void;
  /** Called for a new state, and for every attempt that failed. */
  readonly onState?: (state: FollowState) => void;
  /** Ends the following. */
  readonly signal: AbortSignal;
  /**
   * The pauses after failures in a row, the last one for all later ones; each is stretched by up to a half at random,
   * so that a fleet does not return as one. At least one. Milliseconds; default 1, 2, 4, 8, 16, 32 and then 5 s, as
   * APISIX waits.
   */
  readonly retryDelaysMs?: readonly number[];
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Default the system's clock. */
  readonly clock?: Clock;
}

const defaultDelaysMs = [1000, 2000, 4000, 8000, 16_000, 32_000, 5000];

/**
 * Delivers a store's content and all that becomes of it, without a gap and without a repetition, until `signal`
 * aborts. No failure of the store ends it; after one, the store is loaded again, because only that tells whether it is
 * back. A history that is gone or a store that was restored is loaded again at once, and any other failure, or a
 * second one on its heels, waits first.
 *
 * Rejects with `STORE_CLOSED` when the store is closed before the abort, and with what a callback throws.
 */
export async function followStore(store: Store, options: FollowOptions): Promise<void> {
  const { onSnapshot, onChange, onState, signal, random = Math.random, clock = systemClock } = options;
  const delaysMs = options.retryDelaysMs ?? defaultDelaysMs;
  const longestMs = Math.max(...delaysMs);
  let revision: Revision | undefined;
  let awaySince: number | undefined;
  let failures = 0;

  /** A function of its own, so that nothing holds the snapshot while its watch goes on. @returns why there was none. */
  async function loadOnce(): Promise<Revision | GatewayError | undefined> {
    const snapshot = await answer(store.load(signal), signal);
    if (snapshot === undefined || snapshot instanceof GatewayError) return snapshot;
    revision = snapshot.revision;
    awaySince = undefined;
    onSnapshot(snapshot);
    return revision;
  }

  /** One load, and its watch for as long as it holds. @returns why it did not. */
  async function followOnce(): Promise<GatewayError | undefined> {
    const loaded = await loadOnce();
    if (typeof loaded !== 'number') return loaded;
    const since = clock.now();
    onState?.({ state: 'following', since, revision: loaded });

    const changes = store.watch(loaded, signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await answer(changes.next(), signal);
        // Whatever comes after a good while is not a failure in a row.
        if (clock.now() - since > longestMs) failures = 0;
        if (step === undefined || step instanceof GatewayError) return step;
        if (step.done === true) return undefined;
        revision = step.value.revision;
        onChange(step.value);
      }
    } finally {
      await changes.return?.();
    }
  }

  onState?.({ state: 'connecting', since: clock.now() });
  while (!signal.aborted) {
    const error = await followOnce();
    if (signal.aborted) return;
    failures += 1;
    if (failures === 1 && canLoadAtOnce(error)) continue;
    awaySince ??= clock.now();
    if (error !== undefined) onState?.({ state: 'away', since: awaySince, revision, error });
    const delayMs = delaysMs[failures - 1] ?? delaysMs.at(-1) ?? longestMs;
    await pause(clock, delayMs * (1 + random() / 2), signal);
  }
}

/** The store answers, and only the watch is over. A watch that ends without an error was closed: the load tells. */
function canLoadAtOnce(error: GatewayError | undefined): boolean {
  return error === undefined || error.code === 'STORE_COMPACTED' || error.code === 'STORE_REWOUND';
}

/** @returns what the store says, or its error; `undefined` after an abort. Rejects with what a retry cannot mend. */
async function answer<T>(asked: Promise<T>, signal: AbortSignal): Promise<T | GatewayError | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!isGatewayError(error) || error.code === 'STORE_CLOSED') throw error;
    return error;
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener('abort', done);
  });
}
