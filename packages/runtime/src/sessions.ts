import type { SessionFilter } from './data-plane/session-filter.ts';
import { oldest } from './data-plane/session-list.ts';
import type { SessionFacts, SessionList } from './data-plane/session-list.ts';
import type { Log } from './log.ts';
import type { WorkerPool } from './worker-pool.ts';

/** The sessions of a gateway, in all its workers. */
export interface GatewaySessions {
  /** Those that are open and fit. @param limit the oldest so many are told, at least 0. */
  list(filter: SessionFilter, limit: number): Promise<SessionList>;
  /** Closes those that fit, a millisecond a turn. @returns how many there were. */
  close(filter: SessionFilter): Promise<number>;
}

export function createSessions(pool: Pick<WorkerPool, 'askAll'>, log: Log): GatewaySessions {
  return {
    async list(filter, limit) {
      const found: SessionFacts[] = [];
      let total = 0;
      await pool.askAll('sessions', { filter, limit }, (_worker, list) => {
        total += list.total;
        found.push(...list.sessions);
      });
      return { total, sessions: oldest(found, limit) };
    },
    async close(filter) {
      let closed = 0;
      await pool.askAll('closeSessions', filter, (_worker, count) => {
        closed += count;
      });
      log('notice', 'sessions were closed because an operator asked for it', { ...filter, closed });
      return closed;
    },
  };
}
