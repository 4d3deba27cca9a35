import { resolve } from 'node:path';
import { createMemoryStore } from '@apisix-ts/config';
import type { Settings, Store } from '@apisix-ts/config';
import type { SnapshotOptions } from '@apisix-ts/runtime';

/** Opens a store as the settings describe it. */
type OpenStore = (settings: Settings, home: string) => Promise<Store>;

/** Every store there is, by the name that `config_provider` has for it. Only the one in use is loaded. */
const stores: Readonly<Record<'embedded' | 'etcd', OpenStore>> = {
  async embedded({ deployment }, home) {
    const { openEmbeddedStore } = await import('@apisix-ts/store-embedded');
    return openEmbeddedStore({ path: resolve(home, deployment.embedded.path) });
  },
  async etcd({ deployment, apisix }) {
    const { etcdOptions, openEtcdStore } = await import('@apisix-ts/store-etcd');
    const authorities = apisix.ssl.ssl_trusted_certificate;
    return openEtcdStore(
      etcdOptions(deployment.etcd, authorities === 'system' ? undefined : resolve(authorities)),
    );
  },
};

/** Rejects with `STORE_*`. */
export async function openStore(settings: Settings, home: string): Promise<Store> {
  const { config_provider: provider, role, rules } = settings.deployment;
  if (rules === 'api') return wholeConfigurations(provider);
  if (provider === 'embedded' || provider === 'etcd') {
    const store = await stores[provider](settings, home);
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
export function describeStore({ deployment }: Settings, home: string): string {
  if (deployment.rules === 'api') return 'in memory, until the gateway stops';
  return deployment.config_provider === 'etcd'
    ? `etcd ${deployment.etcd.host.join(', ')} under ${deployment.etcd.prefix}`
    : resolve(home, deployment.embedded.path);
}
