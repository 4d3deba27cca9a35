import { WheelEntry } from '@apisix-ts/core';
import type { Attempt, TimerWheel } from '@apisix-ts/core';
import type { WorkerWaiting } from '../shared-waiting.ts';
import type { Upstream, WorkerNode } from './upstream.ts';

/** Exactly one of the three is called, once, never from inside `enter`; none after `leave`. */
export interface WaitingHandler {
  /** @param node counted as busy with the session; undefined: no node is left that it could have. */
  onTurn(node: WorkerNode | undefined): void;
  onTimeout(): void;
  /** The upstream was replaced or removed. */
  onUpstreamGone(): void;
}

export interface Waiting {
  /** Gives up. Idempotent. */
  leave(): void;
}

/**
 * Where sessions of a worker wait while all nodes of their upstream are full: one queue for each upstream, in order of arrival.
 * Workers do not know each other's queues: which of them gets a node that becomes free is up to the system.
 */
export class WaitingRoom {
  readonly #queues = new Map<Upstream, Set<WaitingSession>>();
  readonly #wheel: TimerWheel;
  readonly #news: WorkerWaiting;
  #isDue = false;
  #isListening = false;

  constructor(wheel: TimerWheel, news: WorkerWaiting) {
    this.#wheel = wheel;
    this.#news = news;
  }

  /** @returns undefined when the upstream has no queue, or a full one. */
  enter(upstream: Upstream, attempt: Attempt, handler: WaitingHandler): Waiting | undefined {
    const { queue: limits } = upstream.facts;
    const queue = this.#queues.get(upstream) ?? new Set();
    if (limits === undefined || queue.size >= limits.length) return undefined;
    const session = new WaitingSession(attempt, handler, (one) => this.#remove(upstream, one));
    queue.add(session);
    this.#queues.set(upstream, queue);
    upstream.isWaitedFor = true;
    this.#wheel.add(session, limits.timeoutMs);
    // Counted first and looked again after that: a node that is left in between is told of or seen.
    this.#news.begin();
    this.look();
    return session;
  }

  /** Looks soon whether anyone can be served. To be called when upstreams changed, too. */
  look(): void {
    if (this.#isDue || this.#queues.size === 0) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#serve();
    });
  }

  /** Some node of an upstream with limits was left by a session. */
  tell(): void {
    this.#news.tell();
  }

  /** @param isCurrent whether it is still what new sessions get. */
  dismissAllBut(isCurrent: (upstream: Upstream) => boolean): void {
    for (const [upstream, queue] of this.#queues) {
      if (isCurrent(upstream)) continue;
      for (const session of queue) {
        session.leave();
        session.handler.onUpstreamGone();
      }
    }
  }

  #serve(): void {
    const { told } = this.#news;
    for (const [upstream, queue] of this.#queues) serveQueue(upstream, queue);
    if (this.#queues.size === 0 || this.#isListening) return;
    const news = this.#news.next(told);
    if (news === undefined) {
      this.look();
      return;
    }
    this.#isListening = true;
    void news.then(() => {
      this.#isListening = false;
      this.look();
    });
  }

  #remove(upstream: Upstream, session: WaitingSession): void {
    const queue = this.#queues.get(upstream);
    if (queue?.delete(session) !== true) return;
    this.#wheel.remove(session);
    this.#news.end();
    if (queue.size > 0) return;
    this.#queues.delete(upstream);
    upstream.isWaitedFor = false;
  }
}

function serveQueue(upstream: Upstream, queue: ReadonlySet<WaitingSession>): void {
  for (const session of queue) {
    const node = upstream.take(session.attempt);
    if (node !== 'full') {
      session.leave();
      session.handler.onTurn(node);
    } else if (session.attempt.tried.size === 0) {
      // What one that may have any node cannot get, nobody behind it can.
      return;
    }
  }
}

class WaitingSession extends WheelEntry implements Waiting {
  readonly attempt: Attempt;
  readonly handler: WaitingHandler;
  readonly #remove: (session: WaitingSession) => void;

  constructor(attempt: Attempt, handler: WaitingHandler, remove: (session: WaitingSession) => void) {
    super();
    this.attempt = attempt;
    this.handler = handler;
    this.#remove = remove;
  }

  leave(): void {
    this.#remove(this);
  }

  override onDue(): number {
    this.leave();
    this.handler.onTimeout();
    return 0;
  }
}
