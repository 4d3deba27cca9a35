import { compileExpression } from '@apisix-ts/core';
import type { ChainedPlugin, PluginHandlers, PluginHost, PluginSession, StreamPlugin } from '@apisix-ts/core';
import { streamPlugins } from '@apisix-ts/plugins';
import type { PluginFacts, PluginMetadataFacts } from '../facts/facts.ts';
import { pluginUpstreamKey } from '../facts/plugin-upstream-key.ts';
import type { Log } from '../log.ts';

/** What plugins of a worker share. */
export interface PluginSurroundings extends Pick<PluginHost, 'counts' | 'wheel' | 'caFile'> {
  readonly log: Log;
}

const pluginsByName: ReadonlyMap<string, StreamPlugin> = new Map(
  streamPlugins.map((plugin) => [plugin.name, plugin]),
);

/** A plugin of a route or service, at work. */
export interface WorkerPlugin extends ChainedPlugin {
  readonly priority: number;
}

/** The plugins at work in a worker. One whose configuration stays the same goes on with what it has. */
export class PluginTable {
  readonly #surroundings: PluginSurroundings;
  readonly #working = new Set<RunningPlugin>();
  /** By the plugin's name. */
  readonly #metadata = new Map<string, PluginMetadataFacts['metadata']>();
  /** What still hands over what it has. */
  readonly #closing = new Set<Promise<void>>();

  constructor(surroundings: PluginSurroundings) {
    this.#surroundings = surroundings;
  }

  /**
   * Puts the plugins of a resource to work, and those it had before out of it.
   * @param owner `stream_routes/1`.
   * @param former those it had before.
   * @returns those it has now, in the order in which they run.
   */
  replace(
    owner: string,
    facts: readonly PluginFacts[] = [],
    former: readonly WorkerPlugin[] = [],
  ): readonly WorkerPlugin[] {
    if (facts.length === 0 && former.length === 0) return NONE;
    const before = former.filter((plugin) => plugin instanceof RunningPlugin);
    const next = facts.map((each) => before.find((plugin) => plugin.isOf(each)) ?? this.#start(owner, each));
    for (const plugin of before) if (!next.includes(plugin)) this.#end(plugin);
    return next.sort(byPriority);
  }

  /** Of all configurations of a plugin, from now on. */
  setMetadata(name: string, facts: PluginMetadataFacts | undefined): void {
    if (facts === undefined) this.#metadata.delete(name);
    else this.#metadata.set(name, facts.metadata);
    for (const plugin of this.#working) {
      if (plugin.name === name) this.#await(plugin.restart(facts?.metadata));
    }
  }

  /** Settles when all have handed over what they had. */
  async close(): Promise<void> {
    for (const plugin of this.#working) this.#end(plugin);
    await Promise.all(this.#closing);
  }

  #start(owner: string, facts: PluginFacts): RunningPlugin {
    const plugin = new RunningPlugin(owner, facts, this.#metadata.get(facts.name), this.#surroundings);
    this.#working.add(plugin);
    return plugin;
  }

  #end(plugin: RunningPlugin): void {
    this.#working.delete(plugin);
    this.#await(plugin.end());
  }

  #await(closing: Promise<void> | undefined): void {
    if (closing === undefined) return;
    const awaited = closing.then(() => void this.#closing.delete(awaited));
    this.#closing.add(awaited);
  }
}

/** The plugins of a route and of its service together: where both have one, the route's. */
export function chainPlugins(
  route: readonly WorkerPlugin[],
  service: readonly WorkerPlugin[],
): readonly WorkerPlugin[] {
  if (service.length === 0) return route;
  const others = service.filter(({ name }) => !route.some((plugin) => plugin.name === name));
  return [...route, ...others].sort(byPriority);
}

class RunningPlugin implements WorkerPlugin {
  readonly name: string;
  readonly priority: number;
  handlers: PluginHandlers;
  readonly isMeant: ((session: PluginSession) => boolean) | undefined;
  readonly #owner: string;
  readonly #facts: PluginFacts;
  readonly #surroundings: PluginSurroundings;

  constructor(
    owner: string,
    facts: PluginFacts,
    metadata: PluginMetadataFacts['metadata'] | undefined,
    surroundings: PluginSurroundings,
  ) {
    this.name = facts.name;
    this.priority = pluginOf(facts).priority;
    this.#owner = owner;
    this.#facts = facts;
    this.#surroundings = surroundings;
    this.isMeant = facts.filter && this.#compileFilter(facts.filter);
    this.handlers = this.#compile(metadata);
  }

  isOf({ name, text, filter }: PluginFacts): boolean {
    const own = this.#facts;
    return name === own.name && text === own.text && JSON.stringify(filter) === JSON.stringify(own.filter);
  }

  restart(metadata: PluginMetadataFacts['metadata'] | undefined): Promise<void> | undefined {
    const closing = this.end();
    this.handlers = this.#compile(metadata);
    return closing;
  }

  end(): Promise<void> | undefined {
    return this.handlers.close?.().catch((error: unknown) => {
      this.#surroundings.log('error', 'a plugin did not end as it should', {
        plugin: this.name,
        resource: this.#owner,
        reason: error instanceof Error ? error.message : String(error),
      });
    });
  }

  /** One that is none is as good as none. */
  #compileFilter(filter: readonly unknown[]): RunningPlugin['isMeant'] {
    try {
      const holds = compileExpression(filter);
      return (session) => holds((name) => session.variable(name));
    } catch (error) {
      this.#surroundings.log(
        'warn',
        'the filter of a plugin is not valid: the plugin looks at every session',
        {
          plugin: this.name,
          resource: this.#owner,
          reason: error instanceof Error ? error.message : String(error),
        },
      );
      return undefined;
    }
  }

  /** One that cannot be put to work refuses: its sessions must not go on without it. */
  #compile(metadata: PluginMetadataFacts['metadata'] | undefined): PluginHandlers {
    const { log, counts, wheel, caFile } = this.#surroundings;
    const [owner, name] = [this.#owner, this.name];
    try {
      return pluginOf(this.#facts).compile(JSON.parse(this.#facts.text), {
        owner,
        metadata,
        counts,
        wheel,
        caFile,
        upstreamKey: (upstream) => pluginUpstreamKey(owner, name, upstream),
        log: (level, message, fields) => log(level, message, { plugin: name, resource: owner, ...fields }),
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log('error', 'a plugin cannot be put to work; its sessions are refused', {
        plugin: name,
        resource: owner,
        reason,
      });
      return { preread: () => ({ refuse: 500, reason }) };
    }
  }
}

const NONE: readonly WorkerPlugin[] = [];

/** Only plugins that there are get here. */
function pluginOf({ name }: PluginFacts): StreamPlugin {
  const plugin = pluginsByName.get(name);
  if (plugin === undefined) throw new TypeError(`there is no plugin ${name}`);
  return plugin;
}

function byPriority(left: WorkerPlugin, right: WorkerPlugin): number {
  return right.priority - left.priority;
}
