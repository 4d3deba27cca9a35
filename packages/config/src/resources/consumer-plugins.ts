import { compileSchema } from '../validate/compile-schema.ts';
import { checkPlugins, withMeta } from './plugins.ts';
import type { PluginsCheck, PluginsField } from './plugins.ts';
import type { CheckContext } from './resource-kind.ts';

/** Checks the plugins of a consumer or credential: of those that find out who the client is, it has the consumer's part. */
export function checkConsumerPlugins(plugins: PluginsField, context: CheckContext): PluginsCheck {
  const checked = checkPlugins(plugins, {
    known: (name) => context.plugins.get(name),
    context,
    check: ({ schema, consumerSchema }, configuration) =>
      compileSchema(withMeta(consumerSchema ?? schema))(configuration),
  });
  return checked.ok ? checked : { ok: false, message: `invalid plugins configuration: ${checked.message}` };
}
