/** What a name stands for, and for how long. */
export interface Answer {
  /** Ip literals, at least one, sorted, each once. */
  readonly addresses: readonly string[];
  /** Seconds until the answer has to be asked for again; ≥ 0. */
  readonly ttlSeconds: number;
}

/**
 * Finds the addresses of a name.
 * @throws GatewayError `UPSTREAM_NAME_UNRESOLVED` when there is none, or nobody answered.
 */
export type Lookup = (name: string) => Promise<Answer>;
