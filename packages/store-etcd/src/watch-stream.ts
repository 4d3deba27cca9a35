import { storeCompacted } from '@apisix-ts/config';
import type { Revision, StoreChange, StoreEvent } from '@apisix-ts/config';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import type { Endpoint, WatchCall } from './endpoint.ts';
import { DELETE } from './etcd-api.ts';
import type { WatchResponse } from './etcd-api.ts';
import { isDenial } from './etcd-error.ts';
import type { Keys } from './keys.ts';

/** One connection's worth of a watch. It ends by an error only; whoever opened it closes it. */
export interface WatchStream {
  readonly endpoint: Endpoint;
  /**
   * What etcd says next: whole revisions, in order; none if it only says that it is there. After a third of
   * `silenceMs` without a word it is asked for one.
   * @throws GatewayError `STORE_UNREACHABLE`, also when nothing came for `silenceMs` milliseconds; `STORE_COMPACTED`;
   * `STORE_DENIED`; or the signal's reason.
   */
  next(silenceMs: number): Promise<readonly StoreChange[]>;
  /** Idempotent. */
  close(): void;
}

/** Watches everything under the prefix after `since`. Resolves once etcd has confirmed it, within `timeoutMs`. */
export async function openWatchStream(
  endpoint: Endpoint,
  keys: Keys,
  since: Revision,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<WatchStream> {
  const call = await endpoint.watch(signal);
  const receive = receiver(call, endpoint, since, signal);
  const cancel = (): void => call.cancel();
  // A cancelled call fails; `receive` tells who waits for it, and otherwise nobody has to know.
  call.on('error', () => undefined);
  signal.addEventListener('abort', cancel);
  const close = (): void => {
    signal.removeEventListener('abort', cancel);
    cancel();
  };

  try {
    // Not in fragments, so a message holds whole revisions: etcd 3.4 takes a second of its CPU to cut up 20 000 events.
    call.write({ create: { ...keys.range(), startRevision: since + 1 } });
    while (!(await receive(timeoutMs)).created);
  } catch (error) {
    close();
    throw error;
  }
  return {
    endpoint,
    close,
    next: async (silenceMs) => groupByRevision((await receive(silenceMs)).events, keys),
  };
}

function receiver(
  call: WatchCall,
  endpoint: Endpoint,
  since: Revision,
  signal: AbortSignal,
): (silenceMs: number) => Promise<WatchResponse> {
  const responses: AsyncIterator<WatchResponse> = call[Symbol.asyncIterator]();
  return async (silenceMs) => {
    let isSilent = false;
    const asking = setTimeout(() => call.write({ progress: {} }), silenceMs / 3);
    const givingUp = setTimeout(() => {
      isSilent = true;
      call.cancel();
    }, silenceMs);
    try {
      const step = await responses.next();
      if (step.done === true) throw unreachable(endpoint, 'ended the watch');
      refuse(step.value, endpoint, since);
      return step.value;
    } catch (error) {
      signal.throwIfAborted();
      if (isSilent) throw unreachable(endpoint, `has been silent for ${silenceMs} ms`);
      throw isGatewayError(error) ? error : endpoint.wrap(error);
    } finally {
      clearTimeout(asking);
      clearTimeout(givingUp);
    }
  };
}

/** Throws if etcd cancelled the watch. */
function refuse(
  { canceled, compactRevision, cancelReason }: WatchResponse,
  endpoint: Endpoint,
  since: Revision,
): void {
  if (!canceled) return;
  if (compactRevision !== '0') throw storeCompacted(since, Number(compactRevision));
  if (isDenial(cancelReason)) {
    throw new GatewayError('STORE_DENIED', `etcd at ${endpoint.url} refuses us the watch: ${cancelReason}`, {
      detail: { endpoint: endpoint.url, reason: cancelReason },
    });
  }
  throw unreachable(endpoint, `ended the watch: ${cancelReason}`);
}

function unreachable({ url }: Endpoint, what: string): GatewayError {
  return new GatewayError('STORE_UNREACHABLE', `etcd at ${url} ${what}`, {
    detail: { endpoint: url, reason: what },
  });
}

function groupByRevision(events: WatchResponse['events'], keys: Keys): StoreChange[] {
  const changes: { readonly revision: Revision; readonly events: StoreEvent[] }[] = [];
  for (const { type, kv } of events) {
    const revision = Number(kv.modRevision);
    let change = changes.at(-1);
    if (change?.revision !== revision) {
      change = { revision, events: [] };
      changes.push(change);
    }
    change.events.push(
      type === DELETE
        ? { type: 'delete', key: keys.relative(kv.key) }
        : { type: 'put', entry: keys.entry(kv) },
    );
  }
  return changes;
}
