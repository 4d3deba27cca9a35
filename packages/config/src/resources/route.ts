import type { JsonSchema } from '../validate/json-schema.ts';
import { isAddressOrRange } from './address.ts';
import { checkUpstream } from './check-upstream.ts';
import { addressSchema, commonFields, hostSchema, idSchema, pluginsSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { checkPluginsOf } from './plugins.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';
import { timeoutSchema, upstreamSchema } from './upstream.ts';
import type { UpstreamDocument, UpstreamTimeout } from './upstream.ts';
import { varsFault } from './vars.ts';

/** A route for HTTP requests that has been checked. A condition that is absent holds for every request. */
export interface RouteDocument extends Document, CommonFields {
  /** Exactly one of `uri` and `uris` is there. */
  readonly uri?: string;
  readonly uris?: readonly string[];
  readonly host?: string;
  readonly hosts?: readonly string[];
  /** Addresses or ranges in CIDR form. */
  readonly remote_addr?: string;
  readonly remote_addrs?: readonly string[];
  readonly methods?: readonly string[];
  /** Among routes for the same path, the higher number wins. */
  readonly priority: number;
  /** An expression that `varsFault` found right. */
  readonly vars?: readonly unknown[];
  readonly timeout?: UpstreamTimeout;
  readonly enable_websocket?: boolean;
  /** 0: never matched. */
  readonly status: 0 | 1;
  readonly plugins?: PluginsField;
  readonly plugin_config_id?: string | number;
  readonly upstream?: UpstreamDocument;
  readonly upstream_id?: string | number;
  readonly service_id?: string | number;
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'];
const path: JsonSchema = { type: 'string', minLength: 1, maxLength: 4096 };

export const routeKind: ResourceKind<RouteDocument> = {
  name: 'route',
  segment: 'routes',
  word: 'route',
  schema: {
    type: 'object',
    properties: {
      ...commonFields,
      uri: path,
      uris: setOf(path),
      host: hostSchema,
      hosts: setOf(hostSchema),
      remote_addr: addressSchema,
      remote_addrs: setOf(addressSchema),
      methods: { type: 'array', uniqueItems: true, items: { type: 'string', enum: methods } },
      priority: { type: 'integer', default: 0 },
      vars: { type: 'array' },
      filter_func: { type: 'string', minLength: 10, pattern: '^function' },
      timeout: timeoutSchema,
      enable_websocket: { type: 'boolean' },
      status: { type: 'integer', enum: [1, 0], default: 1 },
      plugins: pluginsSchema,
      plugin_config_id: idSchema,
      upstream: upstreamSchema,
      upstream_id: idSchema,
      service_id: idSchema,
      script: { type: 'string', minLength: 10, maxLength: 102_400 },
      script_id: idSchema,
    },
    allOf: [{ oneOf: [{ required: ['uri'] }, { required: ['uris'] }] }],
    anyOf: ['plugins', 'upstream', 'upstream_id', 'service_id', 'script'].map((field) => ({
      required: [field],
    })),
    not: { anyOf: [{ required: ['script', 'plugins'] }, { required: ['script', 'plugin_config_id'] }] },
    additionalProperties: false,
  },
  references: {
    upstream_id: 'upstreams',
    service_id: 'services',
    plugin_config_id: 'plugin_configs',
    'upstream.tls.client_cert_id': 'ssls',
  },
  privateKeys: ['upstream.tls.client_key'],
  check(route, context) {
    const message =
      conditionFault(route) ??
      (route.upstream === undefined ? undefined : checkUpstream(route.upstream, context));
    return message === undefined ? checkPluginsOf(route, context) : { ok: false, message };
  },
};

function conditionFault({
  host,
  hosts,
  remote_addr,
  remote_addrs,
  vars = [],
}: RouteDocument): string | undefined {
  if (host !== undefined && hosts !== undefined) return 'only one of host or hosts is allowed';
  if (remote_addr !== undefined && remote_addrs !== undefined) {
    return 'only one of remote_addr or remote_addrs is allowed';
  }
  const addresses = remote_addr === undefined ? (remote_addrs ?? []) : [remote_addr];
  const wrong = addresses.find((address) => !isAddressOrRange(address));
  if (wrong !== undefined) return `invalid remote_addr: ${wrong}`;
  const fault = varsFault(vars);
  return fault === undefined ? undefined : `failed to validate the 'vars' expression: ${fault}`;
}

function setOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items, minItems: 1, uniqueItems: true };
}
