import { isDisabled } from '@apisix-ts/config';
import type { Document, PluginsField } from '@apisix-ts/config';
import type { StreamPlugin } from '@apisix-ts/core';
import { streamPlugins } from '@apisix-ts/plugins';
import type { PluginFacts } from './facts.ts';

/** The plugins of a resource that are at work: those that the gateway has, without what `_meta.disable` switches off. */
export function compilePlugins(
  plugins: PluginsField | undefined,
  enabled: ReadonlyMap<string, StreamPlugin>,
): { readonly plugins?: readonly PluginFacts[] } {
  if (plugins === undefined) return {};
  const facts = Object.entries(plugins).flatMap(([name, configuration]) => {
    // The snapshot only hands out configurations that were checked if their plugin is there.
    const { _meta: meta, ...own } = configuration as Document;
    if (!enabled.has(name) || isDisabled(configuration as PluginsField)) return [];
    const { filter } = (meta ?? {}) as { readonly filter?: readonly unknown[] };
    return [{ name, text: JSON.stringify(own), ...(filter === undefined ? {} : { filter }) }];
  });
  return facts.length === 0 ? {} : { plugins: facts };
}

/** Which plugins of a resource have no effect here, for the log. */
export function pluginFaults(
  plugins: PluginsField | undefined,
  enabled: ReadonlyMap<string, StreamPlugin>,
): readonly string[] {
  return Object.keys(plugins ?? {})
    .filter((name) => !enabled.has(name))
    .map((name) => {
      const why = streamPlugins.some((plugin) => plugin.name === name)
        ? 'is not in stream_plugins of config.yaml'
        : 'is not available';
      return `plugin "${name}" ${why}: it is served without`;
    });
}
