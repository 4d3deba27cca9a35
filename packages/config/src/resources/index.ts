import { consumerKind } from './consumer.ts';
import { consumerGroupKind } from './consumer-group.ts';
import { credentialKind } from './credential.ts';
import { globalRuleKind } from './global-rule.ts';
import { pluginConfigKind } from './plugin-config.ts';
import { pluginMetadataKind } from './plugin-metadata.ts';
import { protoKind } from './proto.ts';
import { routeKind } from './route.ts';
import { secretKind } from './secret.ts';
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
export { toProbeBytes } from './probe-bytes.ts';
export type { ProbeBytes, ProbeExpectation } from './probe-bytes.ts';
export { checkWritten } from './check-written.ts';
export { idText } from './id-text.ts';
export { certificateFault, keyPairFault } from './key-pair.ts';
export { arrayOfNodes, normaliseNodes } from './nodes.ts';
export type { NodeFields, NodesField, NormalNode } from './nodes.ts';
export { isDisabled, withMeta } from './plugins.ts';
export type { PluginsField } from './plugins.ts';
export { memberAt, pluginReferencesOf, referencesOf } from './references.ts';
export type { Reference } from './references.ts';
export type { CheckContext, Document, DocumentCheck, PluginSchemas, ResourceKind } from './resource-kind.ts';
export { serviceKind } from './service.ts';
export type { ServiceDocument } from './service.ts';
export { sslKind } from './ssl.ts';
export type { SslDocument } from './ssl.ts';
export { streamRouteKind } from './stream-route.ts';
export type { StreamRouteDocument } from './stream-route.ts';
export { upstreamKind } from './upstream.ts';
export type { UpstreamDocument } from './upstream.ts';
export { consumerKind } from './consumer.ts';
export type { ConsumerDocument } from './consumer.ts';
export { consumerGroupKind } from './consumer-group.ts';
export type { ConsumerGroupDocument } from './consumer-group.ts';
export { credentialKind } from './credential.ts';
export type { CredentialDocument } from './credential.ts';
export { globalRuleKind } from './global-rule.ts';
export type { GlobalRuleDocument } from './global-rule.ts';
export { pluginConfigKind } from './plugin-config.ts';
export type { PluginConfigDocument } from './plugin-config.ts';
export { pluginMetadataKind } from './plugin-metadata.ts';
export { protoKind } from './proto.ts';
export type { ProtoDocument } from './proto.ts';
export { routeKind } from './route.ts';
export type { RouteDocument } from './route.ts';
export { secretKind } from './secret.ts';
export { varsFault } from './vars.ts';

/** Every kind there is, what is named before what names it. */
export const resourceKinds: readonly ResourceKind[] = [
  secretKind,
  sslKind,
  upstreamKind,
  serviceKind,
  streamRouteKind,
  protoKind,
  pluginMetadataKind,
  pluginConfigKind,
  globalRuleKind,
  consumerGroupKind,
  consumerKind,
  credentialKind,
  routeKind,
];
