import { readFile } from 'node:fs/promises';
import { DocumentSet, createMemoryStore, resourceKinds } from '@apisix-ts/config';
import { expect, test } from 'vitest';
import { createAdminServer, createResourceEndpoints } from './index.ts';

test('the example of the README runs', async ({ signal }) => {
  const store = createMemoryStore();
  const documents = new DocumentSet(resourceKinds, (_kind, document) => ({ ok: true, document }));

  const endpoints = createResourceEndpoints({
    isStreamEnabled: () => true,
    kinds: resourceKinds,
    plugins: () => [],
    checkContext: { plugins: new Map(), streamPlugins: new Map(), balancers: new Set(['roundrobin']) },
    writer: store.writer,
    documents,
    applied: async (revision) =>
      void (revision > documents.revision && documents.load(await store.load(signal))),
    prefix: '/apisix',
    now: Date.now,
    reloadPlugins: async () => {},
  });

  const admin = createAdminServer({
    host: '127.0.0.1',
    port: 0,
    allowAdmin: ['127.0.0.0/24'],
    adminKeys: [{ name: 'ops', key: 'secret', role: 'admin' }],
    keyRequired: true,
    cors: false,
    serverToken: 'APISIX',
    endpoints,
    log: console.log,
  });
  const { port } = await admin.listen();

  const headers = { 'x-api-key': 'secret' };
  const origin = `http://127.0.0.1:${port}/apisix/admin`;
  const put = await fetch(`${origin}/services/1`, { method: 'PUT', headers, body: '{}' });
  const removed = await fetch(`${origin}/services/1`, { method: 'DELETE', headers });
  await admin.close();
  await store.close();

  expect([put.status, removed.status]).toEqual([201, 200]);
});

test('the example of the README is the one that runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const own = await readFile(new URL(import.meta.url), 'utf8');
  const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? 'no example';

  expect(own.replaceAll(/\s+/g, '')).toContain(example.replaceAll(/\s+/g, ''));
});
