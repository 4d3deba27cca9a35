import type { JsonSchema } from '@apisix-ts/config';

/** What the Admin API tells about a plugin. */
export interface PluginFacts {
  readonly name: string;
  /** Where it may run. */
  readonly subsystems: readonly Subsystem[];
  /** Higher runs earlier. */
  readonly priority: number;
  /** As APISIX has it, `0.1`: a number. */
  readonly version: number;
  /** Without `_meta`, which every plugin has. */
  readonly schema: JsonSchema;
  /** Of its `plugin_metadata`. */
  readonly metadataSchema?: JsonSchema;
  /** Of its part of a consumer. */
  readonly consumerSchema?: JsonSchema;
  /** `auth`, for those that find out who the client is. */
  readonly type?: string;
  readonly scope?: string;
}

export type Subsystem = 'http' | 'stream';
