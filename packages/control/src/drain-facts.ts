export const drainKinds = ['listener', 'route', 'upstream', 'node'] as const;

export type DrainKind = (typeof drainKinds)[number];

export interface DrainTarget {
  readonly kind: DrainKind;
  readonly name: string;
}

/** Something that gets no new sessions. */
export interface DrainFacts extends DrainTarget {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Within which the sessions that are there are closed. Absent: they may stay. */
  readonly overMs?: number;
  /** Sessions that it still has. */
  readonly sessions: number;
}

export interface DrainAccess {
  /** What is drained, without asking how far it is. */
  readonly current: readonly DrainTarget[];
  list(): Promise<readonly DrainFacts[]>;
  /** Rejects with `DRAIN_TARGET_UNKNOWN`. */
  start(target: DrainTarget, overMs?: number): Promise<DrainFacts>;
  /** Rejects with `DRAIN_TARGET_UNKNOWN`, `LISTENER_*`. */
  undo(target: DrainTarget): Promise<void>;
}
