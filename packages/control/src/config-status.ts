import type { DrainKind, DrainTarget } from './drain-facts.ts';
import type { GatewayFacts, SessionTotals, SnapshotFacts } from './gateway-facts.ts';

/** What a gateway is, from its start to its end. */
export interface GatewayIdentity {
  readonly version: string;
  /** `traditional`, `control_plane`, `data_plane`. */
  readonly role: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
}

/** The sessions there are now. */
export type OpenSessions = Pick<SessionTotals, 'listeners' | 'sessionsWaiting'>;

/** The answer of `GET /v1/config/status`. */
export interface ConfigStatus {
  readonly version: string;
  readonly role: string;
  readonly phase: GatewayFacts['phase'];
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly config_provider: string;
  readonly store: {
    readonly state: GatewayFacts['store']['state'];
    /** Milliseconds since 1970. */
    readonly since: number;
    /** The last revision that came from the store. */
    readonly revision: number;
    readonly error?: string;
  };
  /** What of the store is kept on disk; absent when nothing is. */
  readonly snapshot?: {
    readonly path: string;
    /** What is in effect comes from it, not from the store. */
    readonly serving: boolean;
    readonly revision?: number;
    /** Milliseconds since 1970. */
    readonly saved_at?: number;
    readonly error?: string;
  };
  /** The revision that every worker has in effect. */
  readonly applied_revision: number;
  readonly workers: readonly { readonly id: number; readonly revision: number }[];
  readonly listeners: GatewayFacts['listeners'];
  /** Those that wait for a node are open too. */
  readonly sessions: { readonly open: number; readonly waiting: number };
  /** What gets no new sessions: `{ node: '10.0.0.5:3306' }`. */
  readonly draining: readonly Readonly<Partial<Record<DrainKind, string>>>[];
  readonly rejected: readonly {
    readonly resource: string;
    readonly revision: number;
    readonly reason: string;
    /** Is an earlier version of it in effect? */
    readonly serves_last_good: boolean;
  }[];
  readonly faults: readonly {
    readonly resource: string;
    readonly reason: string;
    readonly secret?: string;
    readonly code?: string;
    /** Is the certificate in use that it had before? */
    readonly serves_last_good: boolean;
  }[];
}

export function configStatus(
  { version, role, startedMs }: GatewayIdentity,
  facts: GatewayFacts,
  counts: OpenSessions,
  drains: readonly DrainTarget[],
): ConfigStatus {
  const { store, snapshot, workers } = facts;
  return {
    version,
    role,
    phase: facts.phase,
    started: startedMs,
    config_provider: facts.provider,
    store: {
      state: store.state,
      since: store.since,
      revision: facts.revision,
      ...(store.state === 'away' ? { error: store.error.message } : {}),
    },
    ...(snapshot === undefined ? {} : { snapshot: snapshotStatus(snapshot) }),
    applied_revision: workers.size === 0 ? 0 : Math.min(...workers.values()),
    workers: [...workers].map(([id, revision]) => ({ id, revision })),
    listeners: facts.listeners,
    sessions: { open: openSessions(counts), waiting: counts.sessionsWaiting },
    draining: drains.map(({ kind, name }) => ({ [kind]: name })),
    rejected: facts.rejections.map(({ kind, id, revision, message, hasPredecessor }) => ({
      resource: `${kind}/${id}`,
      revision,
      reason: message,
      serves_last_good: hasPredecessor,
    })),
    faults: facts.faults.map(({ hasPredecessor, ...fault }) => ({
      ...fault,
      serves_last_good: hasPredecessor,
    })),
  };
}

function openSessions({ listeners }: OpenSessions): number {
  let open = 0;
  for (const { accepted, closed } of listeners.values()) open += accepted - closed;
  return open;
}

function snapshotStatus({
  path,
  isServing,
  revision,
  savedAtMs,
  error,
}: SnapshotFacts): NonNullable<ConfigStatus['snapshot']> {
  return {
    path,
    serving: isServing,
    ...(revision === undefined ? {} : { revision }),
    ...(savedAtMs === undefined ? {} : { saved_at: savedAtMs }),
    ...(error === undefined ? {} : { error: error.message }),
  };
}
