import { PluginRun, logSession } from '@apisix-ts/core';
import type { ChainedPlugin, PluginPatience, PluginRunEvents, PluginSession } from '@apisix-ts/core';
import type { VariableSource } from '../variables/variable-source.ts';
import { variableOf } from '../variables/variables.ts';
import type { CompiledRoute } from './routing-table.ts';
import type { SessionContext } from './session-context.ts';
import type { Upstream } from './upstream.ts';

/** How a plugin refused a session. */
export interface Refusal {
  readonly plugin: string;
  /** An HTTP status. */
  readonly status: number;
  readonly why: string;
}

/** One session and the plugins of its route, from its match to its end. */
export class SessionPlugins implements PluginSession {
  readonly #session: VariableSource;
  readonly #route: CompiledRoute;
  readonly #plugins: readonly ChainedPlugin[];
  readonly #context: Pick<SessionContext, 'table' | 'log'>;
  #run: PluginRun | undefined;
  /** What plugins have set, by name. */
  variables: Map<string, string> | undefined;
  readonly #leaving: (() => void)[] = [];
  /** The key of the upstream that a plugin chose in place of the route's. */
  #upstreamKey: string | undefined;

  constructor(
    session: VariableSource,
    route: CompiledRoute,
    plugins: readonly ChainedPlugin[],
    context: Pick<SessionContext, 'table' | 'log'>,
  ) {
    this.#session = session;
    this.#route = route;
    this.#plugins = plugins;
    this.#context = context;
  }

  get transport(): PluginSession['transport'] {
    return this.#session.transport;
  }

  get remoteAddress(): string {
    return this.#session.remoteAddress;
  }

  get routeId(): string {
    return this.#route.id;
  }

  get serviceId(): string | undefined {
    return this.#route.serviceId;
  }

  /** Lets them look at it. @param patience undefined: a datagram. */
  begin(patience: PluginPatience | undefined, events: PluginRunEvents): void {
    this.#run = new PluginRun(this.#plugins, this, patience, events);
    this.#run.start();
  }

  /** No outcome is told any more; the client's connection is paused and free. */
  cancel(): void {
    this.#run?.cancel();
  }

  /** Whether one of them wants to hear of the end. */
  get isLogging(): boolean {
    return this.#plugins.some(({ handlers }) => handlers.log !== undefined);
  }

  /** It is over. */
  end(): void {
    logSession(this.#plugins, this, (plugin, error) => {
      this.#context.log('error', 'a plugin failed at the end of a session', {
        plugin,
        route: this.#route.id,
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    });
    this.leave();
  }

  /** What they keep for it is let go. */
  leave(): void {
    for (const left of this.#leaving.splice(0)) left();
  }

  /** The session's upstream, as it is now; undefined: there is none. */
  get upstream(): Upstream | undefined {
    const { table } = this.#context;
    return this.#upstreamKey === undefined
      ? table.upstreamOf(this.#route)
      : table.upstream(this.#upstreamKey);
  }

  variable(name: string): string | number | undefined {
    return variableOf(this.#session, name);
  }

  setVariable(name: string, value: string): void {
    this.variables ??= new Map();
    this.variables.set(name, value);
  }

  useUpstream(key: string): boolean {
    if (this.#context.table.upstream(key) === undefined) return false;
    this.#upstreamKey = key;
    return true;
  }

  onEnd(left: () => void): void {
    this.#leaving.push(left);
  }
}
