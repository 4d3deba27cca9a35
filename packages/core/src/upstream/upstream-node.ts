import type { NodeLoad } from './node-load.ts';

/** One address that an upstream can be reached at. Its identity outlives changes of the upstream that keep it. */
export interface UpstreamNode {
  /** The host as it was configured: a name, or the address itself. */
  readonly host: string;
  /** The ip literal to connect to, or `unix:/path`. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** Share of the sessions relative to the other nodes' weights, no unit, ≥ 0; 0 takes none beside a positive one. */
  readonly weight: number;
  /** Nodes of a lower priority are used only when all of the higher ones were tried or are unhealthy. */
  readonly priority: number;
  readonly load: NodeLoad;
  /** Its place in round robin, kept here so that it outlives the balancer. Absent until there is one. */
  turn?: NodeTurn;
}

/** What smooth round robin owes a node; only that balancer reads and writes it. */
export interface NodeTurn {
  /** Grows by the share at every pick; the largest is picked and pays back the sum. */
  credit: number;
  /** The weight that the credit is reckoned in. */
  readonly share: number;
}
