import type { WorkerPlugin } from './plugin-table.ts';
import type { Refusal } from './session-plugins.ts';

/** What a plugin would say to a connection that somebody thinks of. */
export type PluginForesight =
  | { readonly plugin: string; readonly verdict: 'passes' }
  | (Refusal & { readonly verdict: 'refuses' })
  /** That hangs on more than what is known of it. */
  | { readonly plugin: string; readonly verdict: 'open' };

/** What the plugins of a route would say to a client, in their order; behind one that refuses no other is asked. */
export function foreseePlugins(
  plugins: readonly WorkerPlugin[],
  client: { readonly remoteAddress: string },
): readonly PluginForesight[] {
  const foreseen: PluginForesight[] = [];
  for (const plugin of plugins) {
    if (plugin.handlers.preread === undefined) continue;
    const foresight = foresee(plugin, client);
    foreseen.push(foresight);
    if (foresight.verdict === 'refuses') break;
  }
  return foreseen;
}

function foresee(
  { name, handlers, isMeant }: WorkerPlugin,
  client: { readonly remoteAddress: string },
): PluginForesight {
  if (handlers.foresee === undefined || isMeant !== undefined) return { plugin: name, verdict: 'open' };
  const refusal = handlers.foresee(client);
  return refusal === undefined
    ? { plugin: name, verdict: 'passes' }
    : { plugin: name, verdict: 'refuses', status: refusal.refuse, why: refusal.reason };
}
