import { join } from 'node:path';
import { openEmbeddedStore } from '@apisix-ts/store-embedded';
import { etcdOptions, openEtcdStore } from '@apisix-ts/store-etcd';
import { startEtcd } from '@apisix-ts/testkit';
import type { Workbench } from '../programs/workbench.ts';
import { embeddedStorePath } from '../proxies/gateway-program.ts';
import { writeRoutes } from '../routes/write-routes.ts';
import type { RouteDocument } from '../routes/write-routes.ts';

/** A store to measure with, and how to fill it before the gateway starts. */
export interface StoreKind {
  readonly name: 'embedded' | 'etcd';
  /** @returns the endpoint, if it is etcd. */
  fill(workbench: Workbench, home: string, routes: readonly RouteDocument[]): Promise<string | undefined>;
}

export const embedded: StoreKind = {
  name: 'embedded',
  async fill(_, home, routes) {
    const store = await openEmbeddedStore({ path: embeddedStorePath(home) });
    await writeRoutes(store.writer, routes);
    await store.close();
    return undefined;
  },
};

export const etcd: StoreKind = {
  name: 'etcd',
  async fill(workbench, home, routes) {
    const server = await startEtcd({ dataDir: join(home, 'etcd') });
    workbench.onClose(() => server.close());
    const store = openEtcdStore(etcdOptions({ host: [server.endpoint] }));
    if (store.writer === undefined) throw new TypeError('etcd can be written');
    await writeRoutes(store.writer, routes);
    await store.close();
    return server.endpoint;
  },
};
