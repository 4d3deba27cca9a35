import type { StoreEntry, StoreSnapshot } from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import type { Endpoint } from './endpoint.ts';
import { api } from './etcd-api.ts';
import type { Int64 } from './etcd-api.ts';
import type { KeyRange, Keys } from './keys.ts';

/** A page aims at this size. etcd walks the whole rest of the range for every page, so pages must not be small. */
const PAGE_BYTES = 4 * 1024 * 1024;
const FIRST_PAGE_KEYS = 1_000;
const MIN_PAGE_KEYS = 10;
const MAX_PAGE_KEYS = 20_000;

export interface ClusterSnapshot extends StoreSnapshot {
  readonly clusterId: Int64;
}

/** Reads a range page by page, all pages at the revision of the first, which is the latest (linearizable). */
export async function readRange(
  endpoint: Endpoint,
  keys: Keys,
  range: KeyRange,
  signal: AbortSignal,
): Promise<ClusterSnapshot> {
  for (;;) {
    try {
      return await readPages(endpoint, keys, range, signal);
    } catch (error) {
      // Compacted between two pages. Writes and a compaction went by, so starting over is not a tight loop.
      if (!isGatewayError(error, 'STORE_COMPACTED')) throw error;
    }
  }
}

async function readPages(
  endpoint: Endpoint,
  keys: Keys,
  { key, rangeEnd }: KeyRange,
  signal: AbortSignal,
): Promise<ClusterSnapshot> {
  const entries: StoreEntry[] = [];
  let bytes = 0;
  let page = await endpoint.call(api.range, { key, rangeEnd, limit: FIRST_PAGE_KEYS }, signal);
  const { clusterId } = page.header;
  const revision = Number(page.header.revision);
  for (;;) {
    for (const kv of page.kvs) {
      entries.push(keys.entry(kv));
      bytes += kv.key.length + kv.value.length;
    }
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return { revision, entries, clusterId };
    const limit = Math.round(PAGE_BYTES / (bytes / entries.length));
    page = await endpoint.call(
      api.range,
      {
        key: Buffer.concat([last.key, Buffer.of(0)]),
        rangeEnd,
        revision,
        limit: Math.min(Math.max(limit, MIN_PAGE_KEYS), MAX_PAGE_KEYS),
      },
      signal,
    );
  }
}
