import { commonFields, pluginsSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { checkPluginsOf } from './plugins.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** Plugins that several routes share. */
export interface PluginConfigDocument extends Document, CommonFields {
  readonly plugins: PluginsField;
}

export const pluginConfigKind: ResourceKind<PluginConfigDocument> = {
  name: 'plugin_config',
  segment: 'plugin_configs',
  word: 'plugin config',
  schema: {
    type: 'object',
    properties: { ...commonFields, plugins: pluginsSchema },
    required: ['id', 'plugins'],
    additionalProperties: false,
  },
  references: {},
  check: checkPluginsOf,
};
