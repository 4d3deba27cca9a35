import { compileSchema } from '../validate/compile-schema.ts';
import type { JsonSchema } from '../validate/json-schema.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

const anything: JsonSchema = { type: 'object' };

/** What all configurations of a plugin have in common. The id is the plugin's name, and no part of its metadata. */
export const pluginMetadataKind: ResourceKind = {
  name: 'plugin_metadata',
  segment: 'plugin_metadata',
  word: 'plugin_metadata',
  schema: anything,
  references: {},
  check(document, context) {
    const { id, ...metadata } = document;
    const plugin =
      typeof id === 'string' ? (context.plugins.get(id) ?? context.streamPlugins.get(id)) : undefined;
    if (plugin === undefined) {
      return context.isStored === true
        ? { ok: true, document }
        : { ok: false, message: 'invalid plugin name' };
    }
    const checked = compileSchema<Document>(plugin.metadataSchema ?? anything)(metadata);
    return checked.ok
      ? { ok: true, document: { ...checked.value, id } }
      : { ok: false, message: `invalid configuration: ${checked.message}` };
  },
};
