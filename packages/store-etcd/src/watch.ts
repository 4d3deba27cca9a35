import { setTimeout as pause } from 'node:timers/promises';
import type { Revision, StoreChange } from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import type { Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoints.ts';
import type { EtcdOptions } from './etcd-options.ts';
import type { Keys } from './keys.ts';
import type { SeenHistory } from './seen-history.ts';
import { openWatchStream } from './watch-stream.ts';
import type { WatchStream } from './watch-stream.ts';

/** A member that restarts is back before this is over, and nobody has to hear of it. Milliseconds. */
const GRACE_MS = 3_000;
const PAUSE_MS = 100;

export interface WatchContext {
  readonly endpoints: Endpoints;
  readonly keys: Keys;
  readonly seen: SeenHistory;
  readonly options: EtcdOptions;
}

/** `Store.watch`: one stream after the other, each from where the one before it was left. */
export async function* watchChanges(
  context: WatchContext,
  since: Revision,
  signal: AbortSignal,
): AsyncGenerator<StoreChange, void> {
  const { endpoints, seen, options } = context;
  let last = since;
  let awaySince: number | undefined;
  while (!signal.aborted) {
    try {
      const lastSeen = last;
      const stream = await endpoints.read((endpoint) => open(context, endpoint, lastSeen, signal));
      try {
        for (;;) {
          const changes = await next(stream, endpoints, options.watchTimeoutMs);
          awaySince = undefined;
          for (const change of changes) {
            if (signal.aborted) return;
            seen.saw(change, last);
            last = change.revision;
            yield change;
          }
        }
      } finally {
        stream.close();
      }
    } catch (error) {
      if (signal.aborted) return;
      awaySince ??= performance.now();
      if (!isGatewayError(error, 'STORE_UNREACHABLE') || performance.now() - awaySince > GRACE_MS)
        throw error;
      await pause(PAUSE_MS);
    }
  }
}

async function open(
  context: WatchContext,
  endpoint: Endpoint,
  since: Revision,
  signal: AbortSignal,
): Promise<WatchStream> {
  const { keys, seen, options } = context;
  const openStream = (): Promise<WatchStream> =>
    openWatchStream(endpoint, keys, since, options.timeoutMs, signal);
  const stream = await openStream().catch((error: unknown) => {
    // etcd answers a token that has expired in the same words as a missing permission.
    if (options.credentials === undefined || !isGatewayError(error, 'STORE_DENIED')) throw error;
    endpoint.forgetToken();
    return openStream();
  });
  try {
    // After the stream is there: what it carries comes from the history that is checked here.
    await seen.check(endpoint, since, signal);
    return stream;
  } catch (error) {
    stream.close();
    throw error;
  }
}

async function next(
  stream: WatchStream,
  endpoints: Endpoints,
  silenceMs: number,
): Promise<readonly StoreChange[]> {
  try {
    return await stream.next(silenceMs);
  } catch (error) {
    if (isGatewayError(error, 'STORE_UNREACHABLE')) endpoints.failed(stream.endpoint);
    throw error;
  }
}
