import { checkTtl, storeConflict } from '@apisix-ts/config';
import type { PutOptions, PutResult, Revision, StoreSnapshot, StoreWriter } from '@apisix-ts/config';
import type { Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoints.ts';
import { EQUAL, MOD_REVISION, api } from './etcd-api.ts';
import type { KeyValue, PutRequest } from './etcd-api.ts';
import type { Keys } from './keys.ts';
import { readRange } from './range.ts';

/** The writing half of the store. Every method rejects with the signal's reason once that aborts. */
export function createEtcdWriter(endpoints: Endpoints, keys: Keys, signal: AbortSignal): StoreWriter {
  const result = (revision: string, prevKv: KeyValue | null | undefined): PutResult => ({
    revision: Number(revision),
    ...(prevKv !== null && prevKv !== undefined && { previous: keys.entry(prevKv) }),
  });

  /** The request to put; with a time-to-live it refers to a lease that was made for it alone. */
  async function putRequest(
    endpoint: Endpoint,
    key: string,
    value: string,
    { ttlSeconds }: PutOptions,
  ): Promise<PutRequest> {
    const request: PutRequest = { key: keys.absolute(key), value: Buffer.from(value), prevKv: true };
    if (ttlSeconds === undefined) return request;
    const lease = await endpoint.call(api.leaseGrant, { ttlSeconds }, signal);
    return { ...request, lease: lease.id };
  }

  async function removeAt(
    endpoint: Endpoint,
    key: string,
    expected: Revision,
  ): ReturnType<StoreWriter['delete']> {
    const absolute = keys.absolute(key);
    const { header, succeeded, responses } = await endpoint.call(
      api.txn,
      {
        compare: [{ result: EQUAL, target: MOD_REVISION, key: absolute, modRevision: expected }],
        success: [{ delete: { key: absolute, prevKv: true } }],
        failure: [{ range: { key: absolute, keysOnly: true } }],
      },
      signal,
    );
    const found = foundRevision(responses[0]?.range?.kvs);
    if (!succeeded && found !== 0) throw storeConflict(key, expected, found);
    const [previous] = responses[0]?.delete?.prevKvs ?? [];
    return previous && { revision: Number(header.revision), previous: keys.entry(previous) };
  }

  return {
    async get(key) {
      const { kvs } = await endpoints.read((endpoint) =>
        endpoint.call(api.range, { key: keys.absolute(key) }, signal),
      );
      return kvs[0] && keys.entry(kvs[0]);
    },

    async list(prefix): Promise<StoreSnapshot> {
      const { revision, entries } = await endpoints.read((endpoint) =>
        readRange(endpoint, keys, keys.range(prefix), signal),
      );
      return { revision, entries };
    },

    async put(key, value, options = {}) {
      checkTtl(options.ttlSeconds);
      return endpoints.write(async (endpoint) => {
        const request = await putRequest(endpoint, key, value, options);
        const { header, prevKv } = await endpoint.call(api.put, request, signal);
        return result(header.revision, prevKv);
      }, signal);
    },

    async compareAndSwap(key, value, expected, options = {}) {
      checkTtl(options.ttlSeconds);
      return endpoints.write(async (endpoint) => {
        const put = await putRequest(endpoint, key, value, options);
        const { header, succeeded, responses } = await endpoint.call(
          api.txn,
          {
            compare: [{ result: EQUAL, target: MOD_REVISION, key: put.key, modRevision: expected }],
            success: [{ put }],
            failure: [{ range: { key: put.key, keysOnly: true } }],
          },
          signal,
        );
        if (!succeeded) throw storeConflict(key, expected, foundRevision(responses[0]?.range?.kvs));
        return result(header.revision, responses[0]?.put?.prevKv);
      }, signal);
    },

    async delete(key, expected) {
      return endpoints.write(async (endpoint) => {
        const request = { key: keys.absolute(key), prevKv: true } as const;
        if (expected !== undefined) return removeAt(endpoint, key, expected);
        const { header, prevKvs } = await endpoint.call(api.delete, request, signal);
        return prevKvs[0] && { revision: Number(header.revision), previous: keys.entry(prevKvs[0]) };
      }, signal);
    },
  };
}

function foundRevision(kvs: readonly KeyValue[] = []): Revision {
  return Number(kvs[0]?.modRevision ?? 0);
}
