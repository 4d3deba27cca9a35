import type { HttpServer, HttpSocketOptions, ServerTls } from '@apisix-ts/http-server';
import type { AdminKey } from './auth.ts';
import { createDispatch } from './dispatch.ts';
import type { Endpoints } from './endpoints.ts';
import { createAdminHttpServer } from './http-server.ts';
import type { AdminLog } from './http-server.ts';
import type { AdminRequestRecord } from './request-record.ts';

export interface AdminServerOptions extends HttpSocketOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Default: plain HTTP. */
  readonly tls?: ServerTls | undefined;
  /** Addresses and CIDR blocks that may connect; undefined is everyone, an empty list no one. */
  readonly allowAdmin: readonly string[] | undefined;
  /** Undefined: no authentication, as with `keyRequired: false`. */
  readonly adminKeys: readonly AdminKey[] | undefined;
  readonly keyRequired: boolean;
  /** Let browsers call from other origins. */
  readonly cors: boolean;
  /** The `Server` header. */
  readonly serverToken: string;
  /** What is served: `createResourceEndpoints` or `createConfigsEndpoints`. They may outlive the server. */
  readonly endpoints: Endpoints;
  /** Is told of every request, once it was answered. */
  readonly onRequest?: ((record: AdminRequestRecord) => void) | undefined;
  readonly log: AdminLog;
}

/**
 * The Admin API of APISIX 3.x over HTTP. `docs/config/admin-api.md` is its page.
 * @throws GatewayError `SETTINGS_INVALID` for an entry of `allowAdmin` that is no address.
 */
export function createAdminServer(options: AdminServerOptions): HttpServer {
  const { adminKeys, cors, endpoints, keyRequired } = options;
  const dispatch = createDispatch(endpoints, { keys: keyRequired ? adminKeys : undefined, cors });
  return createAdminHttpServer(dispatch, options);
}
