import { checkUpstream } from './check-upstream.ts';
import { commonFields, hostSchema, idSchema, pluginsSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { checkPluginsOf } from './plugins.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';
import { upstreamSchema } from './upstream.ts';
import type { UpstreamDocument } from './upstream.ts';

/** A service that has been checked: what several stream routes share. */
export interface ServiceDocument extends Document, CommonFields {
  readonly upstream?: UpstreamDocument;
  readonly upstream_id?: string | number;
  readonly plugins?: PluginsField;
}

export const serviceKind: ResourceKind<ServiceDocument> = {
  name: 'service',
  segment: 'services',
  word: 'service',
  schema: {
    type: 'object',
    properties: {
      ...commonFields,
      plugins: pluginsSchema,
      upstream: upstreamSchema,
      upstream_id: idSchema,
      script: { type: 'string', minLength: 10, maxLength: 102_400 },
      enable_websocket: { type: 'boolean' },
      hosts: { type: 'array', items: hostSchema, minItems: 1, uniqueItems: true },
    },
    additionalProperties: false,
  },
  references: { upstream_id: 'upstreams', 'upstream.tls.client_cert_id': 'ssls' },
  privateKeys: ['upstream.tls.client_key'],
  check(service, context) {
    const message = service.upstream && checkUpstream(service.upstream, context);
    if (message !== undefined) return { ok: false, message };
    // Routes of either subsystem may be served with it.
    return checkPluginsOf(
      service,
      context,
      (name) => context.streamPlugins.get(name) ?? context.plugins.get(name),
    );
  },
};
