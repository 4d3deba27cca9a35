import { resolve } from 'node:path';
import type { Settings, Store } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';

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
  const { config_provider: provider, role } = settings.deployment;
  if (provider === 'embedded' || provider === 'etcd') {
    const store = await stores[provider](settings, home);
    return role === 'data_plane' ? withoutWriter(store) : store;
  }
  throw new GatewayError('SETTINGS_UNSUPPORTED', `there is no store for config_provider ${provider} yet`);
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

/** Where the configuration is kept, for people. */
export function describeStore({ deployment }: Settings, home: string): string {
  return deployment.config_provider === 'etcd'
    ? `etcd ${deployment.etcd.host.join(', ')} under ${deployment.etcd.prefix}`
    : resolve(home, deployment.embedded.path);
}
