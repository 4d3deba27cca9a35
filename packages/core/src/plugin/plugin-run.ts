import type { PeekBuffer } from '../connection/peek-buffer.ts';
import { WheelEntry } from '../pipe/timer-wheel.ts';
import type { TimerWheel } from '../pipe/timer-wheel.ts';
import type { WireError } from '../pipe/wire.ts';
import type {
  PluginHandlers,
  PluginPeek,
  PluginPeekOutcome,
  PluginRefusal,
  PluginSession,
  PluginStep,
} from './stream-plugin.ts';

/** A plugin in the chain of a route. */
export interface ChainedPlugin {
  readonly name: string;
  readonly handlers: PluginHandlers;
  /** Of `_meta.filter`: whether it looks at this session. Default: at every one. */
  readonly isMeant?: ((session: PluginSession) => boolean) | undefined;
}

/** Of the outcomes exactly one is told, once, never after `cancel`. */
export interface PluginRunEvents {
  /** All have looked at the session, and it goes on. */
  onPassed(): void;
  onRefused(plugin: string, refusal: PluginRefusal): void;
  /** The client's connection is closed. */
  onClosed(error: WireError | undefined): void;
}

/** Where a session waits and is read from. */
export interface PluginPatience {
  readonly wheel: TimerWheel;
  /** Of the client's connection. Asked for when a plugin reads. */
  readonly buffer: () => PeekBuffer;
}

/** The way of a session through the plugins of its route, before an upstream is chosen. */
export class PluginRun extends WheelEntry {
  readonly #plugins: readonly ChainedPlugin[];
  readonly #session: PluginSession;
  readonly #patience: PluginPatience | undefined;
  readonly #events: PluginRunEvents;
  #place = 0;
  /** Where it is being read. */
  #reading: PeekBuffer | undefined;

  /**
   * @param plugins in the order in which they run.
   * @param patience undefined: a datagram, which neither waits nor is read.
   */
  constructor(
    plugins: readonly ChainedPlugin[],
    session: PluginSession,
    patience: PluginPatience | undefined,
    events: PluginRunEvents,
  ) {
    super();
    this.#plugins = plugins;
    this.#session = session;
    this.#patience = patience;
    this.#events = events;
  }

  /** From inside this call comes the outcome, unless a plugin waits or reads. */
  start(): void {
    for (let plugin = this.#next(); plugin !== undefined; plugin = this.#next()) {
      if (!this.#take(plugin, look(plugin, this.#session))) return;
    }
    this.#events.onPassed();
  }

  /** Ends it without an outcome: the client's connection is paused and free. */
  cancel(): void {
    this.#patience?.wheel.remove(this);
    this.#reading?.cancel();
    this.#reading = undefined;
  }

  override onDue(): number {
    this.start();
    return 0;
  }

  #next(): ChainedPlugin | undefined {
    return this.#plugins[this.#place++];
  }

  /** @returns whether the next plugin comes now. */
  #take(plugin: ChainedPlugin, step: PluginStep): boolean {
    if (step === undefined) return true;
    if ('refuse' in step) {
      this.#events.onRefused(plugin.name, step);
      return false;
    }
    if ('peek' in step) return this.#read(plugin, step.peek);
    if (this.#patience === undefined || step.pauseMs <= 0) return true;
    this.#patience.wheel.add(this, step.pauseMs);
    return false;
  }

  #read(plugin: ChainedPlugin, peek: PluginPeek['peek']): boolean {
    const judge = (outcome: PluginPeekOutcome): PluginStep => guarded(() => peek.onOutcome(outcome));
    if (this.#patience === undefined) return this.#take(plugin, judge({ kind: 'absent' }));
    const buffer = this.#patience.buffer();
    this.#reading = buffer;
    buffer.peek({ push: (view) => unconsumed(peek.parser.push(view)) }, peek, (outcome) => {
      this.#reading = undefined;
      if (outcome.kind === 'closed') this.#events.onClosed(outcome.error);
      else if (this.#take(plugin, judge(outcome))) this.start();
    });
    return false;
  }
}

/** Tells the plugins of a session that has ended. @param onFailed one of them threw. */
export function logSession(
  plugins: readonly ChainedPlugin[],
  session: PluginSession,
  onFailed: (plugin: string, error: unknown) => void,
): void {
  for (const plugin of plugins) {
    if (plugin.handlers.log === undefined) continue;
    try {
      if (plugin.isMeant?.(session) ?? true) plugin.handlers.log(session);
    } catch (error) {
      onFailed(plugin.name, error);
    }
  }
}

function look(plugin: ChainedPlugin, session: PluginSession): PluginStep {
  return guarded(() =>
    (plugin.isMeant?.(session) ?? true) ? plugin.handlers.preread?.(session) : undefined,
  );
}

/** A plugin that fails costs its session, not the worker. */
function guarded(work: () => PluginStep): PluginStep {
  try {
    return work();
  } catch (error) {
    return {
      refuse: 500,
      reason: `it failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    };
  }
}

/** What plugins look at belongs to the upstream. */
function unconsumed<A extends { readonly kind: string }>(answer: A): A {
  return 'consumedBytes' in answer ? { ...answer, consumedBytes: 0 } : answer;
}
