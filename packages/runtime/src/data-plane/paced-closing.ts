import { WheelEntry } from '@apisix-ts/core';
import type { TimerWheel } from '@apisix-ts/core';
import type { OpenSession } from './open-session.ts';
import type { OpenSessions } from './session-list.ts';

export interface PacedClosingOptions {
  /** Within which all is done; 0: at once, which is a tick of the wheel later. Milliseconds. */
  readonly windowMs: number;
  /** Which sessions are meant, also of those that begin later. */
  readonly isMeant: (session: OpenSession) => boolean;
  readonly close: (session: OpenSession) => void;
  /** Sessions that move bytes are left alone, whatever becomes of them at the end. */
  readonly sparesBusy: boolean;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

/** How often within the window the sessions are counted and told apart anew. */
const ROUNDS = 8;
/** Without a byte for this long a session is idle; or for one round, if that is shorter. Milliseconds. */
const IDLE_MS = 5000;
/** How often sessions are closed, at most. Milliseconds. */
const TICK_MS = 100;

/**
 * Closes sessions evenly over a window of time, so that their clients do not come back all at the same moment; those
 * first that move no bytes. In each round an even share of those that are left has its turn: when sessions end by
 * themselves, fewer are closed. The end of the window closes whatever is left and meant.
 */
export class PacedClosing extends WheelEntry {
  readonly #open: OpenSessions;
  readonly #wheel: TimerWheel;
  readonly #options: PacedClosingOptions;
  readonly #roundMs: number;
  readonly #startMs: number;
  #round = -1;
  /** Sessions whose turn is in this round, and how many of them, a fraction, are to be closed. */
  #idle: OpenSession[] = [];
  #busy: OpenSession[] = [];
  #share = 0;
  /** A part of a session that is due from the rounds before. */
  #carry: number;
  #closed = 0;

  constructor(open: OpenSessions, wheel: TimerWheel, options: PacedClosingOptions) {
    super();
    this.#open = open;
    this.#wheel = wheel;
    this.#options = options;
    this.#roundMs = options.windowMs / ROUNDS;
    // Several workers with a session each do not close them at the same time.
    this.#carry = options.random();
    wheel.add(this, TICK_MS);
    this.#startMs = wheel.nowMs;
  }

  /** Nothing more is closed. Idempotent. */
  cancel(): void {
    this.#wheel.remove(this);
  }

  override onDue(nowMs: number): number {
    const passedMs = nowMs - this.#startMs;
    const round = this.#roundMs > 0 ? Math.floor(passedMs / this.#roundMs) : ROUNDS;
    if (round >= ROUNDS) {
      this.#startRound(ROUNDS - 1);
      this.#closeUpTo(Infinity);
      return 0;
    }
    if (round > this.#round) this.#startRound(round);
    const part = passedMs / this.#roundMs - round;
    this.#closeUpTo(Math.floor(this.#carry + this.#share * part));
    return TICK_MS;
  }

  #startRound(round: number): void {
    // More than one is lost only when there was nobody left to close.
    this.#carry = Math.min(Math.max(this.#carry + this.#share - this.#closed, 0), 1);
    this.#round = round;
    this.#closed = 0;
    this.#idle = [];
    this.#busy = [];
    const { isMeant, sparesBusy } = this.#options;
    for (const sessions of this.#open) {
      for (const session of sessions) {
        if (session.state === 'closing' || !isMeant(session)) continue;
        if (this.#isIdle(session)) this.#idle.push(session);
        else if (!sparesBusy) this.#busy.push(session);
      }
    }
    this.#share = (this.#idle.length + this.#busy.length) / (ROUNDS - round);
    // Taken from the end: the oldest first.
    this.#idle.reverse();
    this.#busy.reverse();
  }

  #closeUpTo(count: number): void {
    while (this.#closed < count) {
      const session = this.#next();
      if (session === undefined) return;
      this.#closed += 1;
      this.#options.close(session);
    }
  }

  /** One that is still there and meant; idle ones first, and only if they still are. */
  #next(): OpenSession | undefined {
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      if (!this.#isOpen(session)) continue;
      if (this.#isIdle(session)) return session;
      if (!this.#options.sparesBusy) this.#busy.push(session);
    }
    for (let session = this.#busy.pop(); session !== undefined; session = this.#busy.pop()) {
      if (this.#isOpen(session)) return session;
    }
    return undefined;
  }

  #isOpen(session: OpenSession): boolean {
    const isThere = this.#open.some((sessions) => sessions.has(session));
    return isThere && session.state !== 'closing' && this.#options.isMeant(session);
  }

  #isIdle({ idleMs }: OpenSession): boolean {
    return idleMs >= Math.min(IDLE_MS, this.#roundMs);
  }
}
