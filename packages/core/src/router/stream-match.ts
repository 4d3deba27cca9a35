import type { Cidr } from '../address/ip.ts';

/** The conditions of a stream route. All that are set must hold; none set matches every session. */
export interface StreamMatch {
  readonly id: string;
  /** Higher wins. Default 0. */
  readonly priority: number;
  /** One of these patterns has to fit the name the client asked for; empty: no condition. See `parseServerNamePattern`. */
  readonly serverNames: readonly string[];
  /** The client has to offer one of these application protocols (`h2`) in TLS; empty: no condition. */
  readonly alpn: readonly string[];
  readonly serverPort: number | undefined;
  readonly serverAddr: Cidr | undefined;
  readonly remoteAddr: Cidr | undefined;
}

/** Negative when `a` goes before `b`, for routes whose conditions are the same. Ids compare by UTF-16 code units. */
export function compareSiblings(a: StreamMatch, b: StreamMatch): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
