import type {
  CheckContext,
  DocumentView,
  FollowState,
  Rejection,
  Revision,
  Settings,
  Store,
} from '@apisix-ts/config';
import type { StreamPlugin } from '@apisix-ts/core';
import type { Lookup } from '@apisix-ts/discovery';
import type { SnapshotOptions, SnapshotStatus } from './configuration/configuration-source.ts';
import type { ConnectionExplanation, ConnectionQuestion } from './data-plane/explain-connection.ts';
import type { GatewayDrains } from './drains.ts';
import type { CertificateLife } from './facts/certificate-dates.ts';
import type { Fault } from './facts/secret-users.ts';
import type { NodeHealth } from './health/checked-upstream.ts';
import type { UpstreamHealth } from './health/health-monitor.ts';
import type { StreamSockets } from './listening.ts';
import type { Log } from './log.ts';
import type { GatewayCounts } from './metrics/gateway-meter.ts';
import type { GatewaySessions } from './sessions.ts';
import type { Drain } from './workers/drain.ts';
import type { WorkerProgram } from './workers/worker-program.ts';

export interface GatewayOptions {
  /** Where the resources are. It stays the caller's: `close` leaves it open. */
  readonly store: Store;
  /** Keeps the last configuration on disk, to start from while the store is away. Default: it is not kept. */
  readonly snapshot?: SnapshotOptions;
  /** Resolves node names. Default: the hosts file and DNS, as the settings say. */
  readonly lookup?: Lookup;
  /** Where `$env://` references are looked up. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: nowhere. */
  readonly log?: Log;
  /** Of a gateway in another process that this one follows on. Default: there is none. */
  readonly inherited?: GatewayHeritage;
  /** Takes the lines of the access log, if the settings turn it on. Default: there is none. */
  readonly writeAccess?: (lines: string) => void;
  /** What worker threads run. Default: the program of this package, found beside it; a bundle brings its own. */
  readonly workerProgram?: WorkerProgram;
}

/** What one gateway leaves to the next, in another process. Plain enough to be sent there. */
export interface GatewayHeritage {
  /**
   * The sockets of its listeners for connections, which are taken over or closed; of UDP none, but its port may be opened
   * beside.
   */
  readonly sockets: StreamSockets;
  /** What gets no new sessions, and goes on getting none. */
  readonly drains: readonly Drain[];
  /** With which clients may resume their TLS sessions. Secret: who has them can read what is resumed. */
  readonly ticketKeys: readonly Uint8Array[];
}

/** What is in effect. */
export interface GatewayStatus {
  /** `serving`: the listeners are open. `ending`: they are closed again, and the last sessions may finish. */
  readonly phase: 'starting' | 'serving' | 'ending';
  readonly store: FollowState;
  /** What is kept on disk; absent when nothing is. */
  readonly snapshot?: SnapshotStatus;
  /** The last revision that came from the store. */
  readonly revision: Revision;
  /** The one that came before it; 0: none did. */
  readonly previousRevision: Revision;
  /** The revision in effect in each worker, by its index. */
  readonly workers: ReadonlyMap<number, Revision>;
  /** When the last change took effect in all of them. Milliseconds since 1970; absent: there was none yet. */
  readonly appliedAtMs?: number;
  /** How many workers there are to be. */
  readonly workerCount: number;
  readonly listeners: readonly {
    readonly protocol: 'tcp' | 'udp';
    readonly host: string;
    readonly port: number;
  }[];
  /** Stored resources that cannot be used. */
  readonly rejections: readonly Rejection[];
  /** Resources in effect whose certificates cannot be had, or not in their present version. */
  readonly faults: readonly Fault[];
  /** How long the certificates in use are valid. */
  readonly certificates: readonly CertificateLife[];
  /** The upstreams under checks; `name` is the place of the upstream, or of the route or service that has it. */
  readonly health: readonly UpstreamHealth[];
}

/** Documents in, a serving gateway out. */
export interface Gateway {
  /**
   * Loads the store, starts the workers and opens the listeners, in this order: the first session finds its route.
   * Rejects with `STORE_*`, `LISTENER_*`, `WORKER_DIED` or `SETTINGS_INVALID`, and nothing is left running then.
   */
  start(): Promise<void>;
  /**
   * Takes other settings: listeners are opened and closed, workers are added, open sessions are not touched.
   * Rejects with `LISTENER_*` when one cannot be opened, or `PLUGINS_UNUSABLE`; then nothing changed.
   * @returns settings that differ and take effect only after a restart, as key paths.
   */
  reload(settings: Settings): Promise<readonly string[]>;
  /**
   * Settles when every worker has this revision, or a later one, in effect, or another process serves; rejects when
   * `signal` aborts before.
   */
  whenApplied(revision: Revision, signal?: AbortSignal): Promise<void>;
  readonly documents: DocumentView;
  /** What documents are checked against: the plugins and balancers there are. */
  readonly checkContext: CheckContext;
  /** The plugins of `stream_plugins` by name, in the order in which they run. A list that is taken later shows here. */
  readonly plugins: ReadonlyMap<string, StreamPlugin>;
  /**
   * Takes another list of plugins, and settles when it is in effect in every worker; open sessions are not touched.
   * Rejects with `PLUGINS_UNUSABLE`, and nothing changed, when a resource has a wrong configuration for one that comes.
   */
  reloadPlugins(settings: Pick<Settings, 'stream_plugins'>): Promise<void>;
  status(): GatewayStatus;
  /** The `health` of the status, one node after the other: there may be many thousands. */
  checkedNodes(): Iterable<readonly [upstreamKey: string, node: NodeHealth]>;
  /** As the workers have told so far. */
  counts(): GatewayCounts;
  /** Asks the workers for what they have not told yet. Settles when it is in `counts`, or after 250 ms. */
  refreshCounts(): Promise<void>;
  /** What would become of a connection; a worker is asked. Rejects with `WORKER_DIED` when there is none. */
  explain(question: ConnectionQuestion): Promise<ConnectionExplanation>;
  /** What is open. */
  readonly sessions: GatewaySessions;
  /** What gets no new sessions. Nothing of it is kept when the gateway ends, unless it leaves it to another one. */
  readonly drains: GatewayDrains;
  /** For a process that takes its place. */
  heritage(): Promise<GatewayHeritage>;
  /**
   * Another process has the sockets and serves: stops listening, ends UDP sessions, and leaves the store. Open connections
   * go on, with what was in effect.
   */
  handOver(): Promise<void>;
  /** Stops listening, waits for the sessions up to `worker_shutdown_timeout`, then closes. */
  quit(): Promise<void>;
  /** Cuts every session and ends. Idempotent. */
  close(): Promise<void>;
}
