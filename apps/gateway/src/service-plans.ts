import { createHash } from 'node:crypto';
import { adminTls, resourceKinds } from '@apisix-ts/config';
import type { HttpListenerSettings, Settings, Store } from '@apisix-ts/config';
import { createAdminServer } from '@apisix-ts/admin';
import type { Endpoints } from '@apisix-ts/admin';
import { createControlServer, createMetricsServer, createStatusServer } from '@apisix-ts/control';
import { collectGarbage } from '@apisix-ts/runtime';
import type { Gateway, Log } from '@apisix-ts/runtime';
import { openAdminAccessLog } from './admin-access-log.ts';
import { keyPrefix } from './admin-endpoints.ts';
import { adminKeys } from './admin-key.ts';
import type { HttpActivity } from './http-activity.ts';
import { openHttpListener } from './http-listener.ts';
import { routeLabel } from './route-label.ts';
import type { ServicePlan } from './service.ts';
import { version } from './version.ts';

export interface ServiceContext {
  readonly settings: Settings;
  readonly http: readonly HttpListenerSettings[];
  readonly httpActivity: HttpActivity;
  readonly home: string;
  readonly gateway: Gateway;
  readonly store: Store;
  /** What the Admin API serves; undefined when the store cannot be written. */
  readonly adminEndpoints: Endpoints | undefined;
  /** Reads the list of plugins in config.yaml again. */
  readonly reloadPlugins: () => Promise<void>;
  readonly log: Log;
}

/**
 * The services that these settings ask for. A key names all settings that a service depends on, and what the files hold
 * that settings name.
 * @throws GatewayError `SETTINGS_INVALID` for a certificate of the Admin API that cannot be used.
 */
export function planServices(context: ServiceContext): readonly ServicePlan[] {
  const { adminEndpoints, settings } = context;
  const { apisix, plugin_attr } = settings;
  return [
    ...planStatus(context),
    ...(apisix.enable_admin && adminEndpoints !== undefined ? [planAdmin(context, adminEndpoints)] : []),
    ...(apisix.enable_control ? [planControl(context)] : []),
    ...(plugin_attr.prometheus.enable_export_server ? [planMetrics(context)] : []),
    ...context.http.map(({ host, port }) => ({
      key: `http ${host} ${port}`,
      address: listenerAddress(host, port),
      open: (inherited: number | undefined) =>
        openHttpListener(host, port, serverToken(settings), context.httpActivity, inherited),
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
      address: listenerAddress(status.ip, status.port),
      open: (inherited) =>
        createStatusServer({
          inherited,
          host: status.ip,
          port: status.port,
          serverToken: serverToken(settings),
          status: () => (awaitsConfiguration(settings, gateway) ? withoutAny(gateway) : gateway.status()),
        }),
    },
  ];
}

/** Where whole configurations are sent, the first revision is that of having none yet. */
function awaitsConfiguration({ deployment }: Settings, gateway: Gateway): boolean {
  return deployment.rules === 'api' && gateway.documents.revision <= 1;
}

function withoutAny(gateway: Gateway): ReturnType<Gateway['status']> {
  const status = gateway.status();
  return { ...status, workers: new Map([...status.workers.keys()].map((id) => [id, 0])) };
}

function planAdmin({ settings, home, log }: ServiceContext, endpoints: Endpoints): ServicePlan {
  const { admin } = settings.deployment;
  const tls = adminTls(settings, home);
  return {
    key: `admin ${JSON.stringify(admin)} ${serverToken(settings)} ${digest(tls)}`,
    address: listenerAddress(admin.admin_listen.ip, admin.admin_listen.port),
    open: async (inherited) => {
      const accessLog = openAdminAccessLog(settings, home);
      try {
        const server = createAdminServer({
          inherited,
          host: admin.admin_listen.ip,
          port: admin.admin_listen.port,
          tls,
          allowAdmin: admin.allow_admin,
          adminKeys: adminKeys(settings, home),
          keyRequired: admin.admin_key_required,
          cors: admin.enable_admin_cors,
          serverToken: serverToken(settings),
          endpoints,
          onRequest: accessLog?.write,
          log,
        });
        const { descriptor } = await server.listen();
        return {
          descriptor,
          close: () => server.close().finally(() => accessLog?.close()),
          drain: () => server.drain().finally(() => accessLog?.close()),
          reopenLogs: () => accessLog?.reopen(),
        };
      } catch (error) {
        accessLog?.close();
        throw error;
      }
    },
  };
}

function planControl({ settings, gateway, store, reloadPlugins }: ServiceContext): ServicePlan {
  const { ip, port } = settings.apisix.control;
  return {
    key: `control ${ip} ${port} ${serverToken(settings)}`,
    address: listenerAddress(ip, port),
    open: (inherited) =>
      createControlServer({
        inherited,
        host: ip,
        port,
        serverToken: serverToken(settings),
        kinds: resourceKinds,
        documents: gateway.documents,
        plugins: gateway.plugins,
        reloadPlugins,
        collectGarbage,
        explain: (question) => gateway.explain(question),
        prefix: keyPrefix(settings),
        status: () => ({ provider: store.name, ...gateway.status() }),
        sessions: gateway.sessions,
        drains: gateway.drains,
        identity: {
          version,
          role: settings.deployment.role,
          startedMs: Math.round(performance.timeOrigin),
        },
        counts: () => gateway.counts(),
      }),
  };
}

function planMetrics({ settings, gateway, store, httpActivity }: ServiceContext): ServicePlan {
  const { prometheus } = settings.plugin_attr;
  const { export_addr, export_uri, metric_prefix } = prometheus;
  return {
    key: `metrics ${JSON.stringify(prometheus)} ${serverToken(settings)}`,
    address: listenerAddress(export_addr.ip, export_addr.port),
    open: (inherited) =>
      createMetricsServer({
        inherited,
        host: export_addr.ip,
        port: export_addr.port,
        path: export_uri,
        prefix: metric_prefix,
        serverToken: serverToken(settings),
        version,
        provider: store.name,
        status: () => gateway.status(),
        checkedNodes: () => gateway.checkedNodes(),
        http: () => httpActivity,
        disabledLabels: () => disabledLabels(gateway),
        kindRevisions: () => gateway.documents.kindRevisions(),
        counts: async () => {
          await gateway.refreshCounts();
          return gateway.counts();
        },
        nameOfRoute: (id) => routeLabel(id, gateway, prometheus),
      }),
  };
}

/** As the metadata of the plugin `prometheus` has them, which its schema checked when it was written, unless another product wrote it. */
function disabledLabels({ documents }: Gateway): Readonly<Record<string, readonly string[]>> {
  const disabled = documents.get('plugin_metadata', 'prometheus')?.['disabled_labels'];
  if (typeof disabled !== 'object' || disabled === null) return {};
  const lists = Object.entries(disabled).filter((entry): entry is [string, string[]] =>
    Array.isArray(entry[1]),
  );
  return Object.fromEntries(lists);
}

function listenerAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Keys of services are kept and compared; a private key does not belong there. */
function digest(tls: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(tls) ?? '')
    .digest('hex');
}

/** The `Server` header. */
function serverToken({ apisix }: Settings): string {
  return apisix.enable_server_tokens ? `APISIX/${version}` : 'APISIX';
}
