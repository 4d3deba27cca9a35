import type { CheckContext } from '@apisix-ts/config';
import { balancerKinds } from '@apisix-ts/core';
import type { StreamPlugin } from '@apisix-ts/core';
import { streamPlugins } from '@apisix-ts/plugins';

/** The stream plugins of a gateway: those there are, as far as `stream_plugins` names them. */
export class EnabledPlugins {
  readonly #byName = new Map<string, StreamPlugin>();
  /** What documents are checked against: these plugins, and the balancers there are. It goes with the list. */
  readonly checkContext: CheckContext = {
    plugins: new Map(),
    streamPlugins: this.#byName,
    balancers: new Set(balancerKinds.map((kind) => kind.name)),
  };

  /** @param names `stream_plugins`; names of plugins that do not exist are passed over. */
  constructor(names: readonly string[]) {
    this.set(names);
  }

  get byName(): ReadonlyMap<string, StreamPlugin> {
    return this.#byName;
  }

  set(names: readonly string[]): void {
    this.#byName.clear();
    for (const plugin of streamPlugins) {
      if (names.includes(plugin.name)) this.#byName.set(plugin.name, plugin);
    }
  }
}

/** What documents are checked against in a gateway with these `stream_plugins`. */
export function checkContextOf({
  stream_plugins: names,
}: {
  readonly stream_plugins: readonly string[];
}): CheckContext {
  return new EnabledPlugins(names).checkContext;
}

/** Names that no plugin has. */
export function unknownPlugins(names: readonly string[]): readonly string[] {
  return names.filter((name) => !streamPlugins.some((plugin) => plugin.name === name));
}
