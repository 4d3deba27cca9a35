/** What can be drained. */
export type DrainKind = 'listener' | 'route' | 'upstream' | 'node';

/** Something that gets no new sessions. */
export interface Drain {
  readonly kind: DrainKind;
  /** As in a `SessionFilter`. */
  readonly name: string;
  /** When it began. Milliseconds since 1970. */
  readonly since: number;
  /** Within which the sessions that are there are closed. Milliseconds; absent: they may stay. */
  readonly overMs?: number;
}
