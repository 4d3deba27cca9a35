import type { HttpLimits } from '@apisix-ts/http-server';
import type { JsonSchema } from '@apisix-ts/config';
import type { GatewayFacts, SnapshotFacts } from './gateway-facts.ts';
import { addHealthRoutes } from './health-routes.ts';
import { openHttpService } from './http-service.ts';
import type { HttpService } from './http-service.ts';

export interface ControlServerOptions extends HttpLimits {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The `Server` header. */
  readonly serverToken: string;
  /** The kinds of resources and what they look like. */
  readonly kinds: readonly { readonly name: string; readonly schema: JsonSchema }[];
  readonly status: () => GatewayFacts;
  /** Does a resource exist? `upstreams`, `1`. */
  readonly hasResource: (segment: string, id: string) => boolean;
  /** What keys begin with in answers: `/apisix`. */
  readonly prefix: string;
}

/**
 * The Control API: what runs here, for whoever is on this machine. There is no authentication, as in the reference,
 * so it belongs on a loopback address. Rejects with `LISTENER_*`.
 */
export function createControlServer(options: ControlServerOptions): Promise<HttpService> {
  const { kinds, status } = options;
  const main = Object.fromEntries(kinds.map(({ name, schema }) => [name, schema]));

  return openHttpService({ name: 'the Control API (apisix.control)', ...options }, (app) => {
    app.get('/v1/schema', async () => ({ main, plugins: {}, stream_plugins: {} }));
    app.get('/v1/config/status', async () => configStatus(status()));
    addHealthRoutes(app, options);
  });
}

/** The answer of `GET /v1/config/status`. */
export interface ConfigStatus {
  readonly config_provider: string;
  readonly store: {
    readonly state: GatewayFacts['store']['state'];
    /** Milliseconds since 1970. */
    readonly since: number;
    /** The last revision that came from the store. */
    readonly revision: number;
    readonly error?: string;
  };
  /** What of the store is kept on disk; absent when nothing is. */
  readonly snapshot?: {
    readonly path: string;
    /** What is in effect comes from it, not from the store. */
    readonly serving: boolean;
    readonly revision?: number;
    /** Milliseconds since 1970. */
    readonly saved_at?: number;
    readonly error?: string;
  };
  /** The revision that every worker has in effect. */
  readonly applied_revision: number;
  readonly workers: readonly { readonly id: number; readonly revision: number }[];
  readonly listeners: GatewayFacts['listeners'];
  readonly rejected: readonly {
    readonly resource: string;
    readonly revision: number;
    readonly reason: string;
    /** Is an earlier version of it in effect? */
    readonly serves_last_good: boolean;
  }[];
  readonly faults: readonly {
    readonly resource: string;
    readonly reason: string;
    readonly secret?: string;
    readonly code?: string;
    /** Is the certificate in use that it had before? */
    readonly serves_last_good: boolean;
  }[];
}

function configStatus(facts: GatewayFacts): ConfigStatus {
  const { store, snapshot, workers } = facts;
  return {
    config_provider: facts.provider,
    store: {
      state: store.state,
      since: store.since,
      revision: facts.revision,
      ...(store.state === 'away' ? { error: store.error.message } : {}),
    },
    ...(snapshot === undefined ? {} : { snapshot: snapshotStatus(snapshot) }),
    applied_revision: workers.size === 0 ? 0 : Math.min(...workers.values()),
    workers: [...workers].map(([id, revision]) => ({ id, revision })),
    listeners: facts.listeners,
    rejected: facts.rejections.map(({ kind, id, revision, message, hasPredecessor }) => ({
      resource: `${kind}/${id}`,
      revision,
      reason: message,
      serves_last_good: hasPredecessor,
    })),
    faults: facts.faults.map(({ hasPredecessor, ...fault }) => ({
      ...fault,
      serves_last_good: hasPredecessor,
    })),
  };
}

function snapshotStatus({
  path,
  isServing,
  revision,
  savedAtMs,
  error,
}: SnapshotFacts): NonNullable<ConfigStatus['snapshot']> {
  return {
    path,
    serving: isServing,
    ...(revision === undefined ? {} : { revision }),
    ...(savedAtMs === undefined ? {} : { saved_at: savedAtMs }),
    ...(error === undefined ? {} : { error: error.message }),
  };
}
