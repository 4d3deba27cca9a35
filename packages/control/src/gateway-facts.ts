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
  readonly listeners: readonly { readonly host: string; readonly port: number }[];
  /** Stored resources that cannot be used. */
  readonly rejections: readonly Rejection[];
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
  /** By listener: `0.0.0.0:9100`. */
  readonly listeners: ReadonlyMap<string, ListenerTotals>;
  /** Ended sessions by how they ended: `OK`, or an error code. */
  readonly sessionsEnded: ReadonlyMap<string, number>;
}
