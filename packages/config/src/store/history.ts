import type { Revision, StoreChange } from './store.ts';

/** What a store inside this process remembers of its changes, for its watches to read. */
export interface History {
  /**
   * The next changes after `since`, oldest first, as many as are convenient; none when nothing followed yet;
   * `undefined` once the store is closed.
   * @throws GatewayError `STORE_COMPACTED`, `STORE_REWOUND`.
   */
  after(since: Revision): readonly StoreChange[] | undefined;
  /** Calls back whenever `after` may answer differently. @returns stops that. */
  onMoved(callback: () => void): () => void;
}

/** `Store.watch` for a store that has its history at hand. It keeps no queue: a slow reader costs nothing. */
export async function* watchHistory(
  history: History,
  since: Revision,
  signal: AbortSignal,
): AsyncGenerator<StoreChange, void, undefined> {
  let position = since;
  let wake = (): void => {};
  const moved = (): void => wake();
  const stop = history.onMoved(moved);
  signal.addEventListener('abort', moved);
  try {
    while (!signal.aborted) {
      const changes = history.after(position);
      if (changes === undefined) return;
      for (const change of changes) {
        yield change;
        if (signal.aborted) return;
        position = change.revision;
      }
      if (changes.length > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stop();
    signal.removeEventListener('abort', moved);
  }
}
