import type { NodeIdentity } from '../workers/worker-link.ts';
import type { SessionReason } from './session-reason.ts';

/** A session that may be closed because of its node. */
export interface ClosableSession {
  /** Does it relay to this node of this upstream, and is the node unhealthy now? */
  isOnUnhealthy(upstreamKey: string, node: NodeIdentity): boolean;
  close(reason: Exclude<SessionReason, 'OK'>): void;
}

/** Sessions that are looked at before others get their turn: closing them takes some milliseconds. */
const SESSIONS_PER_TURN = 100;

interface Candidate {
  readonly session: ClosableSession;
  /** The set that it is in while it is open. */
  readonly open: ReadonlySet<ClosableSession>;
  readonly upstreamKey: string;
  readonly node: NodeIdentity;
}

/** Closes the sessions of nodes that went down, so many a turn of the event loop that no other session waits long. */
export class SessionCloser {
  readonly #open: readonly ReadonlySet<ClosableSession>[];
  readonly #candidates: Candidate[] = [];

  /** @param open the sessions there are. */
  constructor(...open: readonly ReadonlySet<ClosableSession>[]) {
    this.#open = open;
  }

  /** Closes those that are open now; the rest of them is left alone once the node is healthy again. */
  closeSessionsOf(upstreamKey: string, node: NodeIdentity): void {
    const isWorking = this.#candidates.length > 0;
    // All are found before the first is closed: one that begins later is not meant, and looking is cheap.
    for (const open of this.#open) {
      for (const session of open) {
        if (!session.isOnUnhealthy(upstreamKey, node)) continue;
        this.#candidates.push({ session, open, upstreamKey, node });
      }
    }
    if (!isWorking) this.#closeSome();
  }

  #closeSome(): void {
    for (const { session, open, upstreamKey, node } of this.#candidates.splice(0, SESSIONS_PER_TURN)) {
      if (!open.has(session) || !session.isOnUnhealthy(upstreamKey, node)) continue;
      session.close('SESSION_CLOSED_BY_HEALTH_CHECK');
    }
    if (this.#candidates.length > 0) setImmediate(() => this.#closeSome());
  }
}
