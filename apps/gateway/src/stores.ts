import { resolve } from 'node:path';
import { createMemoryStore, resourceFilePath } from '@apisix-ts/config';
import type { Environment, ResourceFormat, Settings, Store } from '@apisix-ts/config';
import type { Log, SnapshotOptions } from '@apisix-ts/runtime';
import type { Predecessor } from './upgrade/predecessor.ts';
import { StoreLease } from './upgrade/store-lease.ts';

export interface StoreContext {
  /** Absolute path of the installation. */
  readonly home: string;
  readonly env: Environment;
  readonly log: Log;
}

/** Opens a store as the settings describe it. */
type OpenStore = (settings: Settings, context: StoreContext, predecessor?: Predecessor) => Promise<Store>;

/** Every store there is, by the name that `config_provider` has for it. Only the one in use is loaded. */
const stores: Readonly<Record<'embedded' | 'etcd' | 'file', OpenStore>> = {
  async embedded({ deployment }, { home }, predecessor) {
    const { openEmbeddedStore } = await import('@apisix-ts/store-embedded');
    const lease = new StoreLease('embedded', async () => {
      await predecessor?.releaseStore();
      const store = await openEmbeddedStore({ path: resolve(home, deployment.embedded.path) });
      predecessor?.serve(store.writer);
      return store;
    });
    // Where another process has the store, that goes on with it until this one is about to serve.
    if (predecessor === undefined) await lease.take();
    return lease;
  },
  async etcd({ deployment, apisix }) {
    const { etcdOptions, openEtcdStore } = await import('@apisix-ts/store-etcd');
    const authorities = apisix.ssl.ssl_trusted_certificate;
    return openEtcdStore(
      etcdOptions(deployment.etcd, authorities === 'system' ? undefined : resolve(authorities)),
    );
  },
  async file({ deployment }, { home, env, log }) {
    const { openFileStore } = await import('@apisix-ts/store-file');
    const format = formatOf(deployment);
    return openFileStore({ path: resourceFilePath(home, format, env), format, env, log });
  },
};

/** Rejects with `STORE_*`, or with `SETTINGS_*` for a file of resources that cannot be used. */
export async function openStore(
  settings: Settings,
  context: StoreContext,
  predecessor?: Predecessor,
): Promise<Store> {
  const { config_provider: provider, role, rules } = settings.deployment;
  if (rules === 'file') return stores.file(settings, context);
  if (rules === 'api') return wholeConfigurations(provider);
  if (provider === 'embedded' || provider === 'etcd') {
    const store = await stores[provider](settings, context, predecessor);
    return role === 'data_plane' ? withoutWriter(store) : store;
  }
  // Refused with the settings, which know the place in the file.
  throw new TypeError(`there is no store for config_provider ${provider}`);
}

/** In memory, empty at every start, and only replaced as a whole. */
function wholeConfigurations(name: string): Store {
  const { writer: _, ...store } = createMemoryStore({ name });
  return store;
}

/** What a data plane gets: nothing in it can write by mistake. */
function withoutWriter(store: Store): Store {
  return {
    name: store.name,
    load: (signal) => store.load(signal),
    watch: (since, signal) => store.watch(since, signal),
    close: () => store.close(),
  };
}

/** Where the last configuration is kept on disk: for a store that is elsewhere, unless it is switched off. */
export function snapshotOptions({ deployment }: Settings, home: string): SnapshotOptions | undefined {
  const { prefix, host: hosts, snapshot } = deployment.etcd;
  if (deployment.config_provider !== 'etcd' || !snapshot.enable) return undefined;
  return { path: resolve(home, snapshot.path), origin: { store: 'etcd', prefix, hosts } };
}

/** Where the configuration is kept, for people. */
export function describeStore({ deployment }: Settings, home: string, env: Environment): string {
  if (deployment.rules === 'file') return resourceFilePath(home, formatOf(deployment), env);
  if (deployment.rules === 'api') return 'in memory, until the gateway stops';
  return deployment.config_provider === 'etcd'
    ? `etcd ${deployment.etcd.host.join(', ')} under ${deployment.etcd.prefix}`
    : resolve(home, deployment.embedded.path);
}

function formatOf({ config_provider: provider }: Settings['deployment']): ResourceFormat {
  return provider === 'json' ? 'json' : 'yaml';
}
