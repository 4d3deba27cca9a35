import type { PluginUpstream } from '@apisix-ts/core';

/** What workers call an upstream that the configuration of a plugin names or has. */
export function pluginUpstreamKey(owner: string, plugin: string, upstream: PluginUpstream): string {
  return 'id' in upstream ? `upstreams/${upstream.id}` : `${owner}/plugins/${plugin}/${upstream.place}`;
}
