import type { JsonSchema } from '../validate/json-schema.ts';
import { isAddressOrRange } from './address.ts';
import { checkUpstream } from './check-upstream.ts';
import { addressSchema, commonFields, hostSchema, idSchema, pluginsSchema, portSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { checkPlugins, filterFault } from './plugins.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';
import { upstreamSchema } from './upstream.ts';
import type { UpstreamDocument } from './upstream.ts';

/** A stream route that has been checked. A condition that is absent holds for every connection. */
export interface StreamRouteDocument extends Document, CommonFields {
  /** Among routes that match, the higher number wins. Ours; APISIX has no such field. */
  readonly priority: number;
  /** The client: an address or a range in CIDR form. */
  readonly remote_addr?: string;
  /** The local address of the connection: an address or a range in CIDR form. */
  readonly server_addr?: string;
  readonly server_port?: number;
  readonly sni?: string;
  /** Ours: any of several names. */
  readonly snis?: readonly string[];
  /** Ours: application protocols of TLS, one of which the client has to offer. */
  readonly alpn?: readonly string[];
  /** Ours: pass TLS on as it is, on a listener that can do that and terminate it. Default false. */
  readonly tls_passthrough?: boolean;
  /** Ours: bytes per second that a session may send to its upstream, on average. Absent: no limit. */
  readonly upload_rate?: number;
  /** Ours: bytes per second that a session may get from its upstream, on average. Absent: no limit. */
  readonly download_rate?: number;
  readonly upstream?: UpstreamDocument;
  readonly upstream_id?: string | number;
  readonly service_id?: string | number;
  readonly plugins?: PluginsField;
  readonly protocol?: { readonly name: string };
}

/** Bytes per second. A wire reads up to 64 KiB at once: at a lower rate the pauses would be minutes. */
const rateSchema: JsonSchema = { type: 'integer', minimum: 1024, maximum: 1_000_000_000_000 };

const protocol: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    superior_id: idSchema,
    conf: { type: 'object' },
    logger: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, filter: { type: 'array' }, conf: { type: 'object' } },
        dependencies: { name: ['conf'] },
        additionalProperties: false,
      },
    },
  },
  required: ['name'],
};

export const streamRouteKind: ResourceKind<StreamRouteDocument> = {
  name: 'stream_route',
  segment: 'stream_routes',
  word: 'stream route',
  schema: {
    type: 'object',
    properties: {
      ...commonFields,
      priority: { type: 'integer', default: 0 },
      remote_addr: addressSchema,
      server_addr: addressSchema,
      server_port: portSchema,
      sni: hostSchema,
      snis: { type: 'array', minItems: 1, uniqueItems: true, items: hostSchema },
      tls_passthrough: { type: 'boolean' },
      alpn: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { type: 'string', minLength: 1, maxLength: 255 },
      },
      upload_rate: rateSchema,
      download_rate: rateSchema,
      upstream: upstreamSchema,
      upstream_id: idSchema,
      service_id: idSchema,
      plugins: pluginsSchema,
      protocol,
    },
    additionalProperties: false,
  },
  references: { upstream_id: 'upstreams', service_id: 'services', 'upstream.tls.client_cert_id': 'ssls' },
  privateKeys: ['upstream.tls.client_key'],
  check(route, context) {
    const plugins = checkPlugins(route.plugins ?? {}, {
      known: (name) => context.streamPlugins.get(name),
      context,
      describe: describePluginFault,
    });
    if (!plugins.ok) return plugins;
    const message =
      (route.plugins && filterFault(route.plugins, context)) ??
      checkAddress('remote_addr', route.remote_addr) ??
      checkAddress('server_addr', route.server_addr) ??
      (route.upstream && checkUpstream(route.upstream, context)) ??
      (route.protocol && `unknown protocol [${route.protocol.name}]`);
    if (message !== undefined) return { ok: false, message };
    return {
      ok: true,
      document: route.plugins === undefined ? route : { ...route, plugins: plugins.plugins },
    };
  },
};

function describePluginFault(name: string, reason: string): string {
  return `failed to check the configuration of stream plugin [${name}]: ${reason}`;
}

function checkAddress(field: string, value: string | undefined): string | undefined {
  return value === undefined || isAddressOrRange(value) ? undefined : `invalid ${field}: ${value}`;
}
