import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { DocumentSet, createMemoryStore, resourceKinds } from '@apisix-ts/config';
import type { CheckContext, MemoryStore, Revision } from '@apisix-ts/config';
import type { PluginFacts } from '../plugin-facts.ts';
import { createResourceEndpoints } from '../resource-endpoints.ts';
import type { ResourceEndpointsOptions } from '../resource-endpoints.ts';
import { createAdminServer } from '../server.ts';
import type { AdminServerOptions } from '../server.ts';

/** Unix seconds at which every test takes place. */
export const testNow = 1_700_000_000;

const addresses = { type: 'array', items: { type: 'string' }, minItems: 1 };

export const testPlugins: readonly PluginFacts[] = [
  {
    name: 'syslog',
    subsystems: ['http', 'stream'],
    priority: 401,
    version: 0.1,
    schema: { type: 'object' },
    metadataSchema: { type: 'object', properties: { log_format: { type: 'object' } } },
  },
  {
    name: 'ip-restriction',
    subsystems: ['http', 'stream'],
    priority: 3000,
    version: 0.1,
    schema: {
      type: 'object',
      oneOf: [
        { properties: { whitelist: addresses }, required: ['whitelist'] },
        { properties: { blacklist: addresses }, required: ['blacklist'] },
      ],
    },
  },
  {
    name: 'key-auth',
    subsystems: ['http'],
    priority: 2500,
    version: 0.1,
    type: 'auth',
    schema: { type: 'object', properties: { header: { type: 'string', default: 'apikey' } } },
    consumerSchema: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] },
  },
  {
    name: 'traffic-split',
    subsystems: ['http', 'stream'],
    priority: 966,
    version: 0.1,
    schema: { type: 'object' },
  },
];

export const testCheckContext: CheckContext = {
  plugins: new Map(testPlugins.map((plugin) => [plugin.name, plugin])),
  streamPlugins: new Map(
    testPlugins
      .filter(({ subsystems }) => subsystems.includes('stream'))
      .map((plugin) => [plugin.name, plugin]),
  ),
  balancers: new Set(['roundrobin', 'chash', 'least_conn', 'random']),
};

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface TestAdmin extends AsyncDisposable {
  readonly port: number;
  readonly store: MemoryStore;
  /** What the server logged. */
  readonly logged: readonly string[];
  /** @param target below `/apisix/admin` when it does not begin with it. */
  send(method: string, target: string, body?: string, headers?: OutgoingHttpHeaders): Promise<Reply>;
  close(): Promise<void>;
}

/** Of the server, and of its endpoints. */
export type AdminOverrides = Partial<AdminServerOptions & ResourceEndpointsOptions>;

/** The real server on a free port, with the memory store and a copy of it that follows. Needs no key unless told. */
export async function openAdmin(overrides: AdminOverrides = {}): Promise<TestAdmin> {
  const store = createMemoryStore();
  const follower = follow(store);
  const logged: string[] = [];
  const endpoints = createResourceEndpoints({
    isStreamEnabled: () => true,
    kinds: resourceKinds,
    checkContext: testCheckContext,
    plugins: () => testPlugins,
    writer: store.writer,
    documents: follower.documents,
    applied: follower.applied,
    prefix: '/apisix',
    now: () => testNow * 1000,
    reloadPlugins: async () => {},
    ...overrides,
  });
  const server = createAdminServer({
    ...testServerOptions,
    endpoints,
    log: (_level, message) => logged.push(message),
    ...overrides,
  });
  const close = async (): Promise<void> => {
    await server.close();
    await follower.stop();
    await store.close();
  };
  await follower.start();
  const { port } = await server.listen().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { port, store, logged, send: sender(port), close, [Symbol.asyncDispose]: close };
}

/** A server for everyone, on any free port. */
export const testServerOptions: Omit<AdminServerOptions, 'endpoints' | 'log'> = {
  host: '127.0.0.1',
  port: 0,
  allowAdmin: undefined,
  adminKeys: undefined,
  keyRequired: true,
  cors: false,
  serverToken: 'APISIX/3.0.0',
};

export function sender(port: number): TestAdmin['send'] {
  return async (method, target, body, headers = {}) => {
    const path = /^\/(apisix|$)/.test(target) ? target : `/apisix/admin${target}`;
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
    sent.end(body);
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  };
}

interface Follower {
  readonly documents: DocumentSet;
  readonly applied: ResourceEndpointsOptions['applied'];
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Keeps a DocumentSet at the store's revision. */
function follow(store: MemoryStore): Follower {
  const documents = new DocumentSet(resourceKinds, (_kind, document) => ({ ok: true, document }));
  const moved = new EventTarget();
  const stopping = new AbortController();
  let following: Promise<void> = Promise.resolve();

  async function watch(since: Revision): Promise<void> {
    for await (const change of store.watch(since, stopping.signal)) {
      documents.apply(change);
      moved.dispatchEvent(new Event('moved'));
    }
  }

  return {
    documents,
    applied: async (revision, signal) => {
      while (documents.revision < revision) await once(moved, 'moved', { signal });
    },
    async start() {
      const snapshot = await store.load(stopping.signal);
      documents.load(snapshot);
      following = watch(snapshot.revision);
    },
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
