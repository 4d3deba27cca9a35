import { createConfigsEndpoints, createResourceEndpoints } from '@apisix-ts/admin';
import type { Endpoints } from '@apisix-ts/admin';
import { resourceKinds } from '@apisix-ts/config';
import type { Settings, Store } from '@apisix-ts/config';
import { keyringOf } from '@apisix-ts/runtime';
import type { Gateway } from '@apisix-ts/runtime';

export interface AdminEndpointsContext {
  /** As the gateway started. */
  readonly settings: Settings;
  readonly gateway: Gateway;
  readonly store: Store;
  /** Does the gateway proxy streams at the moment? */
  readonly isStreamEnabled: () => boolean;
  /** Reads the list of plugins in config.yaml again. */
  readonly reloadPlugins: () => Promise<void>;
  /** The shape of answers at the moment. */
  readonly apiVersion: () => 'v2' | 'v3';
}

/**
 * What the Admin API of this gateway serves: single resources where the store takes them, else whole configurations.
 * They are made once, because the second kind keeps what it was sent; the server around them may come and go.
 * @returns undefined when the store only reads.
 */
export function createAdminEndpoints(context: AdminEndpointsContext): Endpoints | undefined {
  const { settings, gateway, store, isStreamEnabled, apiVersion, reloadPlugins } = context;
  const common = {
    kinds: resourceKinds,
    checkContext: gateway.checkContext,
    keyring: keyringOf(settings),
    now: Date.now,
  };
  const { writer } = store;
  if (writer !== undefined) {
    return createResourceEndpoints({
      ...common,
      isStreamEnabled,
      apiVersion,
      plugins: () =>
        Array.from(gateway.plugins.values(), (plugin) => ({ ...plugin, subsystems: ['stream'] as const })),
      writer,
      documents: gateway.documents,
      applied: (revision, signal) => gateway.whenApplied(revision, signal),
      prefix: keyPrefix(settings),
      reloadPlugins,
    });
  }
  const replaceAll = store.replaceAll?.bind(store);
  return replaceAll && createConfigsEndpoints({ ...common, replaceAll });
}

/** What keys begin with in answers. */
export function keyPrefix({ deployment: { config_provider, etcd } }: Settings): string {
  return config_provider === 'etcd' ? etcd.prefix : '/apisix';
}
