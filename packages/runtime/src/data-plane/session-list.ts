import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatEndpoint } from '@apisix-ts/transport';
import type { OpenSession, SessionState } from './open-session.ts';
import { compileFilter, sessionId } from './session-filter.ts';
import type { FilterContext, SessionFilter } from './session-filter.ts';

/** A session as it is shown. */
export interface SessionFacts {
  readonly id: string;
  readonly worker: number;
  readonly protocol: 'tcp' | 'udp';
  readonly state: SessionState;
  readonly listener: string;
  /** Both with their ports. */
  readonly client: string;
  readonly server: string;
  readonly serverName: string | undefined;
  readonly routeId: string | undefined;
  readonly serviceId: string | undefined;
  /** Its id, or the place of what has it: `stream_routes/mysql`. */
  readonly upstream: string | undefined;
  readonly node: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface SessionQuery {
  readonly filter: SessionFilter;
  /** Of the sessions found, the oldest so many are told. */
  readonly limit: number;
}

export interface SessionList {
  /** How many there are. */
  readonly total: number;
  readonly sessions: readonly SessionFacts[];
}

/** The sessions of a worker: connections, and those of datagrams, each in the order in which they began. */
export type OpenSessions = readonly ReadonlySet<OpenSession>[];

/** How long sessions are gone through before others get their turn, found out after so many of them. Milliseconds. */
const TURN_MS = 1;
const SESSIONS_PER_LOOK = 20;

export async function listSessions(
  open: OpenSessions,
  { filter, limit }: SessionQuery,
  context: FilterContext,
): Promise<SessionList> {
  const fits = compileFilter(filter, context);
  const found: SessionFacts[] = [];
  let total = 0;
  for (const sessions of open) {
    let told = 0;
    await walk(sessions, context, (session) => {
      if (!fits(session)) return;
      total += 1;
      told += 1;
      if (told <= limit) found.push(describe(session, context));
    });
  }
  return { total, sessions: oldest(found, limit) };
}

/** @returns how many were closed. */
export async function closeSessions(
  open: OpenSessions,
  filter: SessionFilter,
  context: FilterContext,
): Promise<number> {
  const fits = compileFilter(filter, context);
  let closed = 0;
  for (const sessions of open) {
    await walk(sessions, context, (session) => {
      if (!fits(session)) return;
      session.close('SESSION_CLOSED_BY_OPERATOR');
      closed += 1;
    });
  }
  return closed;
}

/** The first so many by the time when they began. */
export function oldest(sessions: readonly SessionFacts[], limit: number): readonly SessionFacts[] {
  return sessions
    .toSorted((left, right) => left.startedAt - right.startedAt || (left.id < right.id ? -1 : 1))
    .slice(0, limit);
}

/** Goes through the sessions that were there at first. */
async function walk(
  sessions: ReadonlySet<OpenSession>,
  { nowMs }: Pick<FilterContext, 'nowMs'>,
  visit: (session: OpenSession) => void,
): Promise<void> {
  let left = sessions.size;
  let beganMs = nowMs();
  for (const session of sessions) {
    if (left === 0) return;
    left -= 1;
    visit(session);
    if (left % SESSIONS_PER_LOOK !== 0 || nowMs() - beganMs < TURN_MS) continue;
    await nextTurn();
    beganMs = nowMs();
  }
}

function describe(session: OpenSession, { worker, nowMs }: FilterContext): SessionFacts {
  const { transport, state, route, upstream, node, startedMs } = session;
  return {
    id: sessionId(worker, session),
    worker,
    protocol: transport,
    state,
    listener: session.listenerName,
    client: formatEndpoint(session.remoteAddress, session.remotePort),
    server: formatEndpoint(session.serverAddress, session.serverPort),
    serverName: session.serverName,
    routeId: route?.id,
    serviceId: route?.serviceId,
    upstream: upstream?.key.replace(/^upstreams\//, ''),
    node: node && formatEndpoint(node.address, node.port),
    startedAt: Math.round(performance.timeOrigin + startedMs),
    ageMs: nowMs() - startedMs,
    idleMs: session.idleMs,
    bytesReceived: session.bytesReceived,
    bytesSent: session.bytesSent,
  };
}
