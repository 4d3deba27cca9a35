import type { FollowState, Rejection, Revision } from '@apisix-ts/config';

/** What the rest of the gateway tells these servers about itself. */
export interface GatewayFacts {
  /** The store's name: `embedded`. */
  readonly provider: string;
  readonly store: FollowState;
  /** The last revision that came from the store. */
  readonly revision: Revision;
  /** The revision in effect in each worker, by its index. */
  readonly workers: ReadonlyMap<number, Revision>;
  readonly listeners: readonly ListenerFacts[];
  /** Stored resources that cannot be used. */
  readonly rejections: readonly Rejection[];
  /** The upstreams under checks. */
  readonly health: readonly UpstreamHealthFacts[];
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

export interface SessionTotals {
  /** By listener: `0.0.0.0:9100`, `0.0.0.0:53/udp`. */
  readonly listeners: ReadonlyMap<string, ListenerTotals>;
  /** Ended sessions by how they ended: `OK`, or an error code. */
  readonly sessionsEnded: ReadonlyMap<string, number>;
  /** Sessions that wait for a node now. */
  readonly sessionsWaiting: number;
}
