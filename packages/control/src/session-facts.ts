/** Which sessions are meant: those that everything fits which is set. */
export interface SessionFilter {
  readonly id?: string;
  readonly listener?: string;
  readonly route?: string;
  readonly service?: string;
  readonly upstream?: string;
  readonly node?: string;
  /** An address or CIDR block. */
  readonly client?: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly sni?: string;
  readonly state?: SessionState;
  readonly olderThanMs?: number;
}

export const sessionStates = ['arriving', 'waiting', 'dialing', 'relaying', 'closing'] as const;

export type SessionState = (typeof sessionStates)[number];

/** An open session. */
export interface SessionFacts {
  readonly id: string;
  readonly worker: number;
  readonly protocol: 'tcp' | 'udp';
  readonly state: SessionState;
  readonly listener: string;
  readonly client: string;
  readonly server: string;
  readonly serverName: string | undefined;
  readonly routeId: string | undefined;
  readonly serviceId: string | undefined;
  readonly upstream: string | undefined;
  readonly node: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** The sessions of all workers. */
export interface SessionAccess {
  /** @param limit the oldest so many are told. */
  list(
    filter: SessionFilter,
    limit: number,
  ): Promise<{ readonly total: number; readonly sessions: readonly SessionFacts[] }>;
  /** @returns how many were closed. */
  close(filter: SessionFilter): Promise<number>;
}
