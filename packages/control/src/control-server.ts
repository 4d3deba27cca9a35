import type { HttpSocketOptions } from '@apisix-ts/http-server';
import type { ResourceKind } from '@apisix-ts/config';
import { refuseBrowsers } from './browser-guard.ts';
import { configStatus } from './config-status.ts';
import type { DrainAccess } from './drain-facts.ts';
import { addDrainRoutes } from './drain-routes.ts';
import type { GatewayIdentity, OpenSessions } from './config-status.ts';
import { addExplainRoute } from './explain-route.ts';
import type { ExplainRouteOptions } from './explain-route.ts';
import { addHealthRoutes } from './health-routes.ts';
import type { HealthRoutesOptions } from './health-routes.ts';
import { openHttpService } from './http-service.ts';
import type { HttpService } from './http-service.ts';
import { addPluginRoutes, showPlugins } from './plugin-routes.ts';
import type { PluginRoutesOptions } from './plugin-routes.ts';
import { addResourceRoutes } from './resource-routes.ts';
import type { ResourceRoutesOptions } from './resource-routes.ts';
import type { SessionAccess } from './session-facts.ts';
import { addSessionRoutes } from './session-routes.ts';

export interface ControlServerOptions
  extends
    HttpSocketOptions,
    HealthRoutesOptions,
    ResourceRoutesOptions,
    PluginRoutesOptions,
    ExplainRouteOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The `Server` header. */
  readonly serverToken: string;
  readonly identity: GatewayIdentity;
  readonly counts: () => OpenSessions;
  /** All kinds of resources. */
  readonly kinds: readonly ResourceKind[];
  /** Gives memory back that nobody uses. */
  readonly collectGarbage: () => void;
  readonly sessions: SessionAccess;
  readonly drains: DrainAccess;
}

/**
 * The Control API: what runs here, for whoever is on this machine. There is no authentication, as in the reference,
 * so it belongs on a loopback address. Rejects with `LISTENER_*`.
 */
export function createControlServer(options: ControlServerOptions): Promise<HttpService> {
  const { kinds, identity, status, counts, drains, collectGarbage } = options;
  const main = Object.fromEntries(kinds.map(({ name, schema }) => [name, schema]));

  return openHttpService({ name: 'the Control API (apisix.control)', ...options }, (app) => {
    app.get('/v1/schema', async () => ({ main, plugins: {}, stream_plugins: showPlugins(options.plugins) }));
    app.get('/v1/config/status', async () => configStatus(identity, status(), counts(), drains.current));
    app.post('/v1/gc', { onRequest: refuseBrowsers }, async (_request, reply) => {
      collectGarbage();
      return reply.send();
    });
    addHealthRoutes(app, options);
    addResourceRoutes(app, options);
    addPluginRoutes(app, options);
    addExplainRoute(app, options);
    addSessionRoutes(app, options.sessions);
    addDrainRoutes(app, options.drains);
  });
}
