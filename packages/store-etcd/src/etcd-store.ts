import type { Revision, Store, StoreChange } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { Endpoints } from './endpoints.ts';
import type { EtcdOptions } from './etcd-options.ts';
import { createEtcdWriter } from './etcd-writer.ts';
import { createKeys } from './keys.ts';
import { readRange } from './range.ts';
import { SeenHistory } from './seen-history.ts';
import { watchChanges } from './watch.ts';

export interface EtcdStoreDependencies {
  /** Decides at which host to begin; 0 ≤ n < 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds, never going back. Default: those of the process. */
  readonly nowMs?: () => number;
}

/**
 * The configuration store of a fleet. Opening does not connect: the first call does.
 * @throws GatewayError `SETTINGS_FILE_UNREADABLE`, `SETTINGS_INVALID`.
 */
export function openEtcdStore(
  options: EtcdOptions,
  { random = Math.random, nowMs = () => performance.now() }: EtcdStoreDependencies = {},
): Store {
  const endpoints = new Endpoints(options, { random, nowMs });
  const keys = createKeys(options.prefix);
  const seen = new SeenHistory(keys);
  const closing = new AbortController();

  async function* watch(since: Revision, signal: AbortSignal): AsyncGenerator<StoreChange, void> {
    closing.signal.throwIfAborted();
    yield* watchChanges({ endpoints, keys, seen, options }, since, AbortSignal.any([signal, closing.signal]));
  }

  return {
    name: 'etcd',
    async load(signal) {
      const either = AbortSignal.any([closing.signal, signal]);
      const snapshot = await endpoints.read((endpoint) => readRange(endpoint, keys, keys.range(), either));
      seen.loaded(snapshot);
      return { revision: snapshot.revision, entries: snapshot.entries };
    },
    watch,
    writer: createEtcdWriter(endpoints, keys, closing.signal),
    async close() {
      if (closing.signal.aborted) return;
      closing.abort(new GatewayError('STORE_CLOSED', 'the etcd store was closed'));
      endpoints.close();
    },
  };
}
