import type { OutgoingHttpHeaders } from 'node:http';
import { createMemoryStore, resourceKinds } from '@apisix-ts/config';
import { createConfigsEndpoints } from '../configs/configs-endpoints.ts';
import type { ConfigsEndpointsOptions } from '../configs/configs-endpoints.ts';
import { createAdminServer } from '../server.ts';
import type { AdminServerOptions } from '../server.ts';
import { sender, testCheckContext, testNow, testServerOptions } from './open-admin.ts';
import type { Reply, TestAdmin } from './open-admin.ts';

export interface TestConfigs extends AsyncDisposable {
  readonly send: TestAdmin['send'];
  /** PUTs a whole configuration as JSON. */
  put(digest: string, configuration: object, headers?: OutgoingHttpHeaders): Promise<Reply>;
  /** What GET shows. */
  shown(): Promise<unknown>;
  /** What is in effect, by key, and since which revision. */
  stored(): Promise<Readonly<Record<string, unknown>>>;
  revision(): Promise<number>;
}

/** The real server of the API-driven form on a free port, with the memory store. Needs no key unless told. */
export async function openConfigs(
  overrides: Partial<AdminServerOptions & ConfigsEndpointsOptions> = {},
): Promise<TestConfigs> {
  const store = createMemoryStore();
  const endpoints = createConfigsEndpoints({
    kinds: resourceKinds,
    checkContext: testCheckContext,
    replaceAll: (values) => store.replaceAll(values),
    now: () => testNow * 1000,
    ...overrides,
  });
  const server = createAdminServer({ ...testServerOptions, endpoints, log: () => {}, ...overrides });
  const { port } = await server.listen();
  const send = sender(port);
  const load = (): ReturnType<typeof store.load> => store.load(new AbortController().signal);
  return {
    send,
    put: (digest, configuration, headers = {}) =>
      send('PUT', '/configs', JSON.stringify(configuration), { 'x-digest': digest, ...headers }),
    async shown() {
      const shown: unknown = JSON.parse((await send('GET', '/configs')).text);
      return shown;
    },
    async stored() {
      const { entries } = await load();
      return Object.fromEntries(entries.map(({ key, value }) => [key, JSON.parse(value)]));
    },
    revision: async () => (await load()).revision,
    async [Symbol.asyncDispose]() {
      await server.close();
      await store.close();
    },
  };
}
