import { resolve } from 'node:path';
import type { ConfigProvider, Settings, Store } from '@apisix-ts/config';
import type { SnapshotOptions } from '@apisix-ts/runtime';

/** Opens a store as the settings describe it. */
type OpenStore = (settings: Settings, home: string) => Promise<Store>;

/** Every store there is, by the name that `config_provider` has for it. Only the one in use is loaded. */
const stores: Readonly<Record<ConfigProvider, OpenStore>> = {
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
export function openStore(settings: Settings, home: string): Promise<Store> {
  return stores[settings.deployment.config_provider](settings, home);
}

/** Where the last configuration is kept on disk: for a store that is elsewhere, unless it is switched off. */
export function snapshotOptions({ deployment }: Settings, home: string): SnapshotOptions | undefined {
  const { prefix, host: hosts, snapshot } = deployment.etcd;
  if (deployment.config_provider !== 'etcd' || !snapshot.enable) return undefined;
  return { path: resolve(home, snapshot.path), origin: { store: 'etcd', prefix, hosts } };
}

/** Where the configuration is kept, for people. */
export function describeStore({ deployment }: Settings, home: string): string {
  return deployment.config_provider === 'etcd'
    ? `etcd ${deployment.etcd.host.join(', ')} under ${deployment.etcd.prefix}`
    : resolve(home, deployment.embedded.path);
}
