import type { Revision, StoreChange, StoreEntry } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { Endpoint } from './endpoint.ts';
import { api } from './etcd-api.ts';
import type { Int64 } from './etcd-api.ts';
import type { Keys } from './keys.ts';
import type { ClusterSnapshot } from './range.ts';

/**
 * Remembers enough of etcd's history to recognise it: at the last revision that was seen, the number of keys, and the
 * latest of them. A cluster that was wiped and has since been written past that revision has neither its cluster id
 * changed (the id follows from the members' addresses) nor gone back, so these are asked for as of that revision.
 */
export class SeenHistory {
  readonly #keys: Keys;
  #clusterId: Int64 | undefined;
  #revision: Revision = 0;
  #count = 0;
  #newest: StoreEntry | undefined;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** From here on this is what counts, whatever was known before. */
  loaded({ clusterId, revision, entries }: ClusterSnapshot): void {
    this.#clusterId = clusterId;
    this.#revision = revision;
    this.#count = entries.length;
    this.#newest = undefined;
    for (const entry of entries) {
      if (entry.modRevision > (this.#newest?.modRevision ?? 0)) this.#newest = entry;
    }
  }

  /**
   * A watch came to this change, and there is none between it and `before`. Ignored unless it is the next one after
   * what is known: loads and several watches may each be somewhere else.
   */
  saw(change: StoreChange, before: Revision): void {
    if (this.#clusterId === undefined || before > this.#revision || change.revision <= this.#revision) return;
    this.#revision = change.revision;
    for (const event of change.events) {
      if (event.type === 'put') {
        if (event.entry.createRevision === event.entry.modRevision) this.#count += 1;
        this.#newest = event.entry;
      } else {
        this.#count -= 1;
        if (this.#newest?.key === event.key) this.#newest = undefined;
      }
    }
  }

  /**
   * Asks whether the history there goes through what was seen here, and has come as far as `since` at least.
   * @throws GatewayError `STORE_REWOUND` when not; `STORE_COMPACTED` when it can no longer be told.
   */
  async check(endpoint: Endpoint, since: Revision, signal: AbortSignal): Promise<void> {
    const revision = this.#revision;
    const newest = this.#newest;
    const count = this.#count;
    const ranges = [
      { range: { ...this.#keys.range(), countOnly: true, revision } },
      ...(newest === undefined ? [] : [{ range: { key: this.#keys.absolute(newest.key), revision } }]),
    ];
    // Linearizable, so a member that lags behind catches up before it answers.
    const { header, responses } = await endpoint.call(api.txn, { success: ranges }, signal);
    const rewound = (found: string): GatewayError =>
      new GatewayError('STORE_REWOUND', `etcd at ${endpoint.url} was wiped, restored or replaced: ${found}`, {
        detail: { endpoint: endpoint.url, since, seen: revision, now: Number(header.revision) },
      });

    if (Number(header.revision) < since)
      throw rewound(`it is at revision ${header.revision} and was at ${since}`);
    if (this.#clusterId === undefined) return;
    if (header.clusterId !== this.#clusterId) {
      throw rewound(`its cluster id is ${header.clusterId} and was ${this.#clusterId}`);
    }
    const [all, one] = responses;
    if (Number(all?.range?.count) !== count) {
      throw rewound(`it has ${all?.range?.count} keys as of revision ${revision}, where there were ${count}`);
    }
    if (newest === undefined) return;
    const kv = one?.range?.kvs[0];
    const found = kv === undefined ? undefined : this.#keys.entry(kv);
    if (found?.modRevision !== newest.modRevision || found.value !== newest.value) {
      throw rewound(`${newest.key} is not as it was at revision ${revision}`);
    }
  }
}
