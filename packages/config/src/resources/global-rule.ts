import { commonFields, pluginsSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { checkPluginsOf } from './plugins.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** Plugins for every request. */
export interface GlobalRuleDocument
  extends Document, Pick<CommonFields, 'id' | 'create_time' | 'update_time'> {
  readonly plugins: PluginsField;
}

const { id, create_time, update_time } = commonFields;

export const globalRuleKind: ResourceKind<GlobalRuleDocument> = {
  name: 'global_rule',
  segment: 'global_rules',
  word: 'global rule',
  schema: {
    type: 'object',
    properties: { id, plugins: pluginsSchema, create_time, update_time },
    required: ['id', 'plugins'],
    additionalProperties: false,
  },
  references: {},
  check: checkPluginsOf,
};
