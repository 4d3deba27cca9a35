import { commonFields, idSchema, pluginsSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { checkConsumerPlugins } from './consumer-plugins.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** Somebody who uses an API. */
export interface ConsumerDocument extends Document, Omit<CommonFields, 'name'> {
  readonly username: string;
  readonly group_id?: string | number;
  readonly plugins?: PluginsField;
}

const { name: _name, ...fields } = commonFields;

export const consumerKind: ResourceKind<ConsumerDocument> = {
  name: 'consumer',
  segment: 'consumers',
  word: 'consumer',
  schema: {
    type: 'object',
    properties: {
      ...fields,
      username: { type: 'string', minLength: 1, maxLength: 256, pattern: String.raw`^[a-zA-Z0-9_\-]+$` },
      group_id: idSchema,
      plugins: pluginsSchema,
    },
    required: ['username'],
    additionalProperties: false,
  },
  references: { group_id: 'consumer_groups' },
  check(consumer, context) {
    const checked = checkConsumerPlugins(consumer.plugins ?? {}, context);
    if (!checked.ok) return checked;
    if (consumer.plugins === undefined) return { ok: true, document: consumer };
    return { ok: true, document: { ...consumer, plugins: checked.plugins } };
  },
};
