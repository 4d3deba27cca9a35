import type { NodeLoad } from './node-load.ts';

/** One address that an upstream can be reached at. Its identity outlives changes of the upstream that keep it. */
export interface UpstreamNode {
  /** The host as it was configured: a name, or the address itself. */
  readonly host: string;
  /** The ip literal to connect to. */
  readonly address: string;
  readonly port: number;
  /** Share of the sessions relative to the other nodes' weights, no unit, ≥ 0; 0 takes none beside a positive one. */
  readonly weight: number;
  /** Nodes of a lower priority are used only when all of the higher ones were tried or are unhealthy. */
  readonly priority: number;
  readonly load: NodeLoad;
}
