import type { FollowState, Rejection, Revision } from '@apisix-ts/config';

/** What the rest of the gateway tells these servers about itself. */
export interface GatewayFacts {
  /** The store's name: `embedded`. */
  readonly provider: string;
  /** `serving`: the listeners are open. */
  readonly phase: 'starting' | 'serving' | 'ending';
  readonly store: FollowState;
  /** What of the store is kept on disk; absent when nothing is. */
  readonly snapshot?: SnapshotFacts;
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
  readonly listeners: readonly ListenerFacts[];
  /** Stored resources that cannot be used. */
  readonly rejections: readonly Rejection[];
  /** Resources in effect that cannot do what they say. */
  readonly faults: readonly FaultFacts[];
  /** The certificates in use. */
  readonly certificates: readonly CertificateLifeFacts[];
  /** The upstreams under checks. */
  readonly health: readonly UpstreamHealthFacts[];
}

/** The snapshot on disk. */
export interface SnapshotFacts {
  readonly path: string;
  /** What is in effect comes from it, not from the store. */
  readonly isServing: boolean;
  /** Absent: there is none yet. */
  readonly revision?: Revision;
  /** Milliseconds since 1970. */
  readonly savedAtMs?: number;
  /** Why the last write of it failed. */
  readonly error?: Error;
}

/** A resource in effect whose certificate cannot be had, or not in its present version. */
export interface FaultFacts {
  readonly resource: string;
  readonly reason: string;
  /** The reference to a secret that could not be read, and the code of the error. */
  readonly secret?: string;
  readonly code?: string;
  /** Is what it had before in use? */
  readonly hasPredecessor: boolean;
}

/** How long the certificates of an ssl are valid. */
export interface CertificateLifeFacts {
  /** `ssls/1` */
  readonly resource: string;
  /** When the first of them ends. Milliseconds since 1970. */
  readonly validToMs: number;
}

/** An open stream listener. */
export interface ListenerFacts {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
}

/** The checks of one upstream. */
export interface UpstreamHealthFacts {
  /** The place of the upstream, or of the route or service that has it: `upstreams/1`. */
  readonly name: string;
  /** Of the probes: `tcp`. */
  readonly type: string;
  readonly nodes: readonly NodeHealthFacts[];
}

/** A node as the answers show it. */
export interface NodeHealthFacts {
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly hostheader?: string;
  /** `healthy`, `mostly_healthy`, `mostly_unhealthy` or `unhealthy`. */
  readonly status: string;
  readonly counter: Readonly<Record<'success' | 'http_failure' | 'tcp_failure' | 'timeout_failure', number>>;
}

/** Totals since the start. */
export interface ListenerTotals {
  readonly accepted: number;
  readonly closed: number;
  readonly downstreamIngressBytes: number;
  readonly downstreamEgressBytes: number;
  readonly upstreamIngressBytes: number;
  readonly upstreamEgressBytes: number;
}

/** What the HTTP listeners do, and did since the start. */
export interface HttpFacts {
  /** Connections so far. */
  readonly accepted: number;
  /** Connections that are open. */
  readonly active: number;
  /** Requests so far. */
  readonly requests: number;
  /** Requests whose answer is under way. */
  readonly answering: number;
}

/** A counter with labels. */
export interface SeriesTotal<Labels> {
  readonly labels: Labels;
  /** Labels that the operator asked for. Absent: none. */
  readonly extra?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** How many measurements there were of each size. */
export interface Distribution {
  /** Upper end, inclusive, and how many were no more than it but more than the one before. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  /** More than the last bound. */
  readonly above: number;
  readonly sum: number;
}

/** How full a piece of shared memory is that was laid out at the start. */
export interface SharedMemoryFacts {
  readonly name: string;
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

/** How busy a thread is. */
export interface ThreadFacts {
  /** It has worked this long since its start. Seconds. */
  readonly activeSeconds: number;
  /** How late its timers were. Seconds, by the share of them that were no later. */
  readonly delays: ReadonlyMap<number, number>;
}

export interface SessionTotals {
  /** By listener: `0.0.0.0:9100`, `0.0.0.0:53/udp`. */
  readonly listeners: ReadonlyMap<string, ListenerTotals>;
  /** Ended sessions by how they ended: `OK`, or an error code. */
  readonly sessionsEnded: ReadonlyMap<string, number>;
  /** Sessions that wait for a node now. */
  readonly sessionsWaiting: number;
  /** Ended sessions by the id of their route; empty: they had none. */
  readonly routes: Iterable<SeriesTotal<string>>;
  readonly statuses: Iterable<
    SeriesTotal<{ readonly code: string; readonly listener: string; readonly node: string }>
  >;
  /** Of these two, series that had to make room for others. */
  readonly seriesEvicted: number;
  readonly events: Readonly<Record<'retries' | 'downstreamHandshakes' | 'upstreamHandshakes', number>>;
  /** How long it took to connect to nodes. Seconds. */
  readonly connects: Distribution;
  /** Nodes that became healthy, and unhealthy. */
  readonly healthChanges: { readonly healthy: number; readonly unhealthy: number };
  /** Workers that died and were replaced. */
  readonly workerRestarts: number;
  /** The memory that all threads share, as far as it can be used up. */
  readonly sharedMemory: readonly SharedMemoryFacts[];
  /** By name: `main`, `worker-0`. */
  readonly threads: ReadonlyMap<string, ThreadFacts>;
}
