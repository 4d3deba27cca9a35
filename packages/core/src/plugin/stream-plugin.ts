import type { HeadParser } from '../connection/head-parser.ts';
import type { PeekOptions, PeekOutcome } from '../connection/peek-buffer.ts';
import type { TimerWheel } from '../pipe/timer-wheel.ts';

/**
 * A kind of plugin for connections and datagram sessions. The main thread knows what its configurations look like;
 * workers compile one into what runs.
 */
export interface StreamPlugin<C = unknown, M = unknown> {
  readonly name: string;
  /** Those with a higher one run earlier, whatever their order in a configuration. */
  readonly priority: number;
  /** As APISIX has it, `0.1`: a number. */
  readonly version: number;
  /**
   * JSON schema of its configurations, with defaults; without `_meta`, which every plugin has. `{ $ref: 'upstream' }` is an
   * upstream, `{ $ref: 'id' }` the id of a resource.
   */
  readonly schema: JsonObject;
  /** JSON schema of its `plugin_metadata`. Default: it has none to speak of, and any object is taken. */
  readonly metadataSchema?: JsonObject;
  /** What the schema cannot say. @returns what is wrong, in APISIX's words; undefined for nothing. */
  check?(configuration: C): string | undefined;
  /** The upstreams that its sessions may be sent to, beside their route's own. Default: none. */
  upstreams?(configuration: C): readonly PluginUpstream[];
  /**
   * Makes what runs. Called in each worker, for each configuration that a route or service has, and again when that or the
   * plugin's metadata changes.
   */
  compile(configuration: C, host: PluginHost<M>): PluginHandlers;
}

/** An upstream that a configuration names or has within it. */
export type PluginUpstream =
  | { readonly id: string }
  /** @property place where in the configuration it is: `rules/0/weighted_upstreams/1`. */
  | { readonly place: string; readonly upstream: JsonObject };

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a plugin's handlers are given to work with. */
export interface PluginHost<M = unknown> {
  /** The resource whose configuration this is, as in the store: `stream_routes/1`. */
  readonly owner: string;
  /** The plugin's `plugin_metadata`, checked; undefined: there is none. */
  readonly metadata: M | undefined;
  /** Sessions by keys of any kind, counted over all workers. */
  readonly counts: SessionCounts;
  /** Serves the time-outs of a thread. */
  readonly wheel: TimerWheel;
  /** A file with the authorities whose servers are believed, PEM; undefined: those that Node brings. */
  readonly caFile: string | undefined;
  /** The key of an upstream that the configuration names or has, for `useUpstream`. */
  upstreamKey(upstream: PluginUpstream): string;
  log(level: 'error' | 'warn' | 'info', message: string, fields: JsonObject): void;
}

/** Exact over all workers of a gateway; the sessions of a worker that died are no longer counted. */
export interface SessionCounts {
  /**
   * Counts one session more for a key, unless there are `most` already.
   * @returns how many there are with it; 0: there were `most`; undefined: there is no room for another key.
   */
  enter(key: string, most: number): number | undefined;
  /** One session less. For each that was let in, once. */
  leave(key: string): void;
}

/** A configuration at work, in one worker. */
export interface PluginHandlers {
  /** Before an upstream is chosen. Default: nothing is to be done then. */
  preread?(session: PluginSession): PluginStep;
  /**
   * What `preread` would say to a session of such a client, where that hangs on nothing else; changes nothing. Default: nobody
   * can know.
   */
  foresee?(client: Pick<PluginSession, 'remoteAddress'>): PluginRefusal | undefined;
  /** When the session has ended, also one that was refused. */
  log?(session: PluginSession): void;
  /** The configuration is in use no more, or the worker ends: what is left is to be handed over. */
  close?(): Promise<void>;
}

/** A session as plugins see it. */
export interface PluginSession {
  readonly transport: 'tcp' | 'udp';
  /** The client, as a believed PROXY header has it, otherwise the peer. An ip literal. */
  readonly remoteAddress: string;
  readonly routeId: string;
  readonly serviceId: string | undefined;
  /**
   * The value of a variable by its name in APISIX: `remote_addr`, `ssl_preread_server_name`, one that a plugin has set. What
   * a session only has at its end, such as `status` and `session_time`, it has in `log`. Undefined: no value, or no such name.
   */
  variable(name: string): string | number | undefined;
  /** For the plugins after this one, the hash key of the upstream, and logs. */
  setVariable(name: string, value: string): void;
  /** Sends the session to another upstream than its route's. @returns whether it exists; if not, nothing changes. */
  useUpstream(key: string): boolean;
  /** Calls back when the session has ended, however it does. */
  onEnd(left: () => void): void;
}

/** What comes after a plugin's look at a session. Undefined: the next plugin. */
export type PluginStep = PluginRefusal | PluginPause | PluginPeek | undefined;

/** Closes the session without a byte to the client. */
export interface PluginRefusal {
  /** An HTTP status, for the access log and metrics. */
  readonly refuse: number;
  /** For the log: what was expected and what was found, no full stop. */
  readonly reason: string;
}

/** The next plugin comes later. Datagrams do not wait. */
export interface PluginPause {
  /** Milliseconds; up to two ticks of the wheel more. */
  readonly pauseMs: number;
}

/** Reads what the client sends first, and leaves it for the upstream. */
export interface PluginPeek<T = unknown> {
  readonly peek: PeekOptions & {
    /** What it consumes is left for the upstream as well. */
    readonly parser: HeadParser<T>;
    /** Not told of a session that has ended. Of datagrams: `absent`. */
    onOutcome(outcome: PluginPeekOutcome<T>): PluginStep;
  };
}

export type PluginPeekOutcome<T = unknown> = Exclude<PeekOutcome<T>, { readonly kind: 'closed' }>;
