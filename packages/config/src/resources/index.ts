import type { ResourceKind } from './resource-kind.ts';
import { serviceKind } from './service.ts';
import { sslKind } from './ssl.ts';
import { streamRouteKind } from './stream-route.ts';
import { upstreamKind } from './upstream.ts';

export { checkResource } from './check-resource.ts';
export type {
  ActiveChecks,
  HealthChecks,
  HealthyRules,
  PassiveChecks,
  UnhealthyRules,
} from './health-checks.ts';
export { normaliseNodes } from './nodes.ts';
export type { NodeFields, NodesField, NormalNode } from './nodes.ts';
export { withMeta } from './plugins.ts';
export type { PluginsField } from './plugins.ts';
export type { CheckContext, Document, DocumentCheck, PluginSchemas, ResourceKind } from './resource-kind.ts';
export { serviceKind } from './service.ts';
export type { ServiceDocument } from './service.ts';
export { sslKind } from './ssl.ts';
export type { SslDocument } from './ssl.ts';
export { streamRouteKind } from './stream-route.ts';
export type { StreamRouteDocument } from './stream-route.ts';
export { upstreamKind } from './upstream.ts';
export type { UpstreamDocument } from './upstream.ts';

/** Every kind there is, what is named before what names it. */
export const resourceKinds: readonly ResourceKind[] = [sslKind, upstreamKind, serviceKind, streamRouteKind];
