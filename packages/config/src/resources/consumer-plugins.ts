import { checkPlugins } from './plugins.ts';
import type { PluginsCheck, PluginsField } from './plugins.ts';
import type { CheckContext } from './resource-kind.ts';

/** Checks the plugins of a consumer or credential: of those that find out who the client is, it has the consumer's part. */
export function checkConsumerPlugins(plugins: PluginsField, context: CheckContext): PluginsCheck {
  const checked = checkPlugins(
    plugins,
    context,
    undefined,
    ({ schema, consumerSchema }) => consumerSchema ?? schema,
  );
  return checked.ok ? checked : { ok: false, message: `invalid plugins configuration: ${checked.message}` };
}
