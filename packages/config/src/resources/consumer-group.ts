import { commonFields, pluginsSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { checkPluginsOf } from './plugins.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** Plugins that several consumers share. */
export interface ConsumerGroupDocument extends Document, CommonFields {
  readonly plugins: PluginsField;
}

export const consumerGroupKind: ResourceKind<ConsumerGroupDocument> = {
  name: 'consumer_group',
  segment: 'consumer_groups',
  word: 'consumer group',
  schema: {
    type: 'object',
    properties: { ...commonFields, plugins: pluginsSchema },
    required: ['id', 'plugins'],
    additionalProperties: false,
  },
  references: {},
  check: checkPluginsOf,
};
