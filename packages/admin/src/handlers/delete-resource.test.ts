import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { DocumentSet, createMemoryStore, streamRouteKind, upstreamKind } from '@apisix-ts/config';
import { expect, test } from 'vitest';
import type { Answer } from '../answer.ts';
import { envelopeV3 } from '../envelope.ts';
import { createResourceStore } from '../resource-store.ts';
import { createWriteGate } from '../write-gate.ts';
import { deleteResource } from './delete-resource.ts';
import type { AdminContext, Call } from './handler.ts';
import { putResource } from './put-resource.ts';

function call(method: string, directory: string, id: string, body?: unknown): Call {
  return { method, directory, id, subPath: [], query: new URLSearchParams(), body, lease: {} };
}

test('a deletion that comes between the check of a reference and its write waits for the write', async () => {
  const store = createMemoryStore();
  await store.writer.put('upstreams/1', '{}');
  let deletion: Answer | Promise<Answer> | undefined;
  const writer = {
    ...store.writer,
    async get(key: string) {
      const found = await store.writer.get(key);
      if (key === 'upstreams/1') {
        deletion ??= deleteResource(upstreamKind, context)(call('DELETE', 'upstreams', '1'));
        // Time for all of it, since the memory store never waits.
        await turn();
      }
      return found;
    },
  };
  const context: AdminContext = {
    kinds: [upstreamKind, streamRouteKind],
    plugins: () => [],
    resources: createResourceStore(writer, '/apisix'),
    writer,
    documents: new DocumentSet([], () => ({ ok: false, message: 'never asked' })),
    applied: async (_revision, signal) => {
      await once(signal, 'abort');
      signal.throwIfAborted();
    },
    appliedTimeoutMs: 1,
    keyring: [],
    envelope: () => envelopeV3,
    gate: createWriteGate(),
    fault: () => undefined,
    storedFault: () => undefined,
    nowSeconds: () => 0,
    reloadPlugins: async () => {},
  };

  const written = await putResource(
    streamRouteKind,
    context,
  )(call('PUT', 'stream_routes', '9', { upstream_id: '1' }));

  expect(written.status).toBe(201);
  await expect(deletion).resolves.toMatchObject({
    status: 400,
    body: { json: { error_msg: 'can not delete this upstream, stream_route [9] is still using it now' } },
  });
  await store.close();
});
