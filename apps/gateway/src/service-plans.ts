import { resourceKinds } from '@apisix-ts/config';
import type { HttpListenerSettings, Settings, Store } from '@apisix-ts/config';
import { createAdminServer } from '@apisix-ts/admin';
import { createControlServer, createMetricsServer, createStatusServer } from '@apisix-ts/control';
import { keyringOf } from '@apisix-ts/runtime';
import type { Gateway, Log } from '@apisix-ts/runtime';
import { adminKeys } from './admin-key.ts';
import { openHttpListener } from './http-listener.ts';
import type { ServicePlan } from './service.ts';
import { version } from './version.ts';

export interface ServiceContext {
  readonly settings: Settings;
  readonly http: readonly HttpListenerSettings[];
  readonly home: string;
  readonly gateway: Gateway;
  readonly store: Store;
  readonly log: Log;
  /** The settings in effect when it is called. */
  readonly currentSettings: () => Settings;
}

/** The services that these settings ask for. A key names all settings that a service depends on. */
export function planServices(context: ServiceContext): readonly ServicePlan[] {
  const { apisix, plugin_attr } = context.settings;
  return [
    ...planStatus(context),
    ...(apisix.enable_admin ? [planAdmin(context)] : []),
    ...(apisix.enable_control ? [planControl(context)] : []),
    ...(plugin_attr.prometheus.enable_export_server ? [planMetrics(context)] : []),
    ...context.http.map(({ host, port }) => ({
      key: `http ${host} ${port}`,
      open: () => openHttpListener(host, port, serverToken(context.settings)),
    })),
  ];
}

/** The status API, where there is one. It works before the gateway has started. */
export function planStatus({ settings, gateway }: ServiceContext): readonly ServicePlan[] {
  const { status } = settings.apisix;
  if (status === undefined) return [];
  return [
    {
      key: `status ${status.ip} ${status.port} ${serverToken(settings)}`,
      open: () =>
        createStatusServer({
          host: status.ip,
          port: status.port,
          serverToken: serverToken(settings),
          status: () => gateway.status(),
        }),
    },
  ];
}

function planAdmin(context: ServiceContext): ServicePlan {
  const { settings, home, gateway, store, log, currentSettings } = context;
  const { admin } = settings.deployment;
  return {
    key: `admin ${JSON.stringify(admin)} ${serverToken(settings)}`,
    open: async () => {
      if (store.writer === undefined) throw new TypeError(`the store ${store.name} cannot be written`);
      const server = createAdminServer({
        host: admin.admin_listen.ip,
        port: admin.admin_listen.port,
        allowAdmin: admin.allow_admin,
        adminKeys: adminKeys(settings, home),
        keyRequired: admin.admin_key_required,
        cors: admin.enable_admin_cors,
        serverToken: serverToken(settings),
        isStreamEnabled: () => currentSettings().apisix.proxy_mode !== 'http',
        kinds: resourceKinds,
        checkContext: gateway.checkContext,
        plugins: [],
        writer: store.writer,
        documents: gateway.documents,
        applied: (revision, signal) => gateway.whenApplied(revision, signal),
        prefix: keyPrefix(settings),
        keyring: keyringOf(settings),
        now: Date.now,
        // There are no plugins to load yet, so every list of them is loaded already.
        reloadPlugins: async () => {},
        log,
      });
      await server.listen();
      return server;
    },
  };
}

function planControl({ settings, gateway, store }: ServiceContext): ServicePlan {
  const { ip, port } = settings.apisix.control;
  return {
    key: `control ${ip} ${port} ${serverToken(settings)}`,
    open: () =>
      createControlServer({
        host: ip,
        port,
        serverToken: serverToken(settings),
        kinds: resourceKinds,
        hasResource: (segment, id) => gateway.documents.get(segment, id) !== undefined,
        prefix: keyPrefix(settings),
        status: () => ({ provider: store.name, ...gateway.status() }),
      }),
  };
}

function planMetrics({ settings, gateway, store }: ServiceContext): ServicePlan {
  const { export_addr, export_uri, metric_prefix } = settings.plugin_attr.prometheus;
  return {
    key: `metrics ${JSON.stringify(settings.plugin_attr.prometheus)} ${serverToken(settings)}`,
    open: () =>
      createMetricsServer({
        host: export_addr.ip,
        port: export_addr.port,
        path: export_uri,
        prefix: metric_prefix,
        serverToken: serverToken(settings),
        version,
        status: () => ({ provider: store.name, ...gateway.status() }),
        kindRevisions: () => gateway.documents.kindRevisions(),
        counts: () => gateway.counts(),
      }),
  };
}

/** What keys begin with in answers. */
function keyPrefix({ deployment: { config_provider, etcd } }: Settings): string {
  return config_provider === 'etcd' ? etcd.prefix : '/apisix';
}

/** The `Server` header. */
function serverToken({ apisix }: Settings): string {
  return apisix.enable_server_tokens ? `APISIX/${version}` : 'APISIX';
}
