/**
 * What is known about a node at this moment. It belongs to the node, so it outlives a rebuild of the balancer, and may
 * change between any two reads: other workers write to it. Reading is cheap, and never throws.
 */
export interface NodeLoad {
  /** Sessions that hold the node, of all workers: from the attempt to reach it until it failed or the session ended. */
  readonly active: number;
  /**
   * Moving average of the time a connection to it took, as `averageConnectMs` has it, discounted while nobody tries
   * (`discountConnectMs`). Milliseconds; undefined before the first.
   */
  readonly connectMs: number | undefined;
  readonly isHealthy: boolean;
}
