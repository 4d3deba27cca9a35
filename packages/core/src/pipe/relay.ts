import type { ErrorCode } from '@apisix-ts/errors';
import { LimitedSide } from './limited-side.ts';
import { Side } from './side.ts';
import type { SideOwner } from './side.ts';
import { WheelEntry } from './timer-wheel.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { Wire, WireError } from './wire.ts';

/** One object may serve every session of a listener. */
export interface RelayOptions {
  /** Serves the time-outs of all sessions of a thread. */
  readonly wheel: TimerWheel;
  /**
   * Ends a session after this long without a byte either way. Milliseconds; 0 is never; default 60 000. It is found out
   * up to three ticks of the wheel later, never earlier.
   */
  readonly idleTimeoutMs?: number;
  /**
   * Ends a session this long after it began, with `Session.finish`. Milliseconds; 0 is never; default 0. It is found out
   * up to three ticks of the wheel later, never earlier.
   */
  readonly maxAgeMs?: number;
  /**
   * Pass an end of one direction on and keep the other one open, as RFC 9293 section 3.6 has it; default true. If false, the first FIN ends the session,
   * after all that came before it was handed to the kernel of the other side.
   */
  readonly halfClose?: boolean;
  /** Bytes per second that are taken from each side on average, > 0, with one second's worth at once. Default: no limit. */
  readonly rates?: RelayRates | undefined;
}

export interface RelayRates {
  /** From downstream to upstream. Absent: no limit. */
  readonly upload?: number;
  /** From upstream to downstream. Absent: no limit. */
  readonly download?: number;
}

export interface RelayResult {
  /**
   * Why the session ended; absent when both ends closed in order. `DOWNSTREAM_RESET`, `UPSTREAM_RESET`: by an RST;
   * `DOWNSTREAM_LOST`, `UPSTREAM_LOST`: another error of the connection; `SESSION_IDLE_TIMEOUT`; `SESSION_MAX_AGE`; or
   * the code that `close` was called with.
   */
  readonly code: ErrorCode | undefined;
  /** The system's name for the broken connection's error: `ECONNRESET`. */
  readonly errno: string | undefined;
  /** Bytes the upstream's wire accepted in its whole life, so with what was written to it before the relay. */
  readonly bytesToUpstream: number;
  /** Bytes the downstream's wire accepted in its whole life. */
  readonly bytesToDownstream: number;
}

/** How long a session that is finished waits for its peers to take what is left and to end. Milliseconds. */
const LINGER_MS = 5000;

export type RelayDone = (result: RelayResult, session: Session) => void;

/**
 * Copies bytes both ways until both ends have closed, or one broke.
 *
 * - An end is passed on after everything before it, and so is a reset, at once, as a reset.
 * - A side whose `write` answers false pauses the other until `onWritten`: of each direction at most one chunk is in memory.
 * - A session that is ended from here (time-out, `close`) sends FIN, but RST to a side with a write outstanding: bytes
 *   that are cut off never look like a complete stream.
 *
 * The relay allocates nothing per chunk, and touches no timer; `bench/transport/relay.bench.ts` has its cost beside nginx's.
 *
 * @param downstream @param upstream open wires, paused, nothing outstanding. The relay owns them from now on.
 * @param onDone called once, after both wires have closed, never from inside this call.
 * @param head bytes already read from downstream; they go to the upstream first, and stay untouched until `onDone`.
 */
export function relay(
  downstream: Wire,
  upstream: Wire,
  options: RelayOptions,
  onDone: RelayDone,
  head?: Uint8Array,
): Session {
  const session = new Session(downstream, upstream, options, onDone);
  session.start(head);
  return session;
}

/** A running relay. */
export class Session extends WheelEntry implements SideOwner {
  readonly downstream: Wire;
  readonly upstream: Wire;
  readonly #down: Side;
  readonly #up: Side;
  readonly #wheel: TimerWheel;
  readonly #idleTimeoutMs: number;
  readonly #maxAgeMs: number;
  readonly #halfClose: boolean;
  readonly #onDone: RelayDone;
  /** When it began, and when the last byte passed: the wheel's coarse time. */
  #startedMs: number;
  #activeMs: number;
  #code: ErrorCode | undefined;
  #errno: string | undefined;
  #isEnding = false;
  /** Both sides take their leave. */
  #isFinishing = false;

  /** @internal Use `relay`. */
  constructor(downstream: Wire, upstream: Wire, options: RelayOptions, onDone: RelayDone) {
    super();
    this.downstream = downstream;
    this.upstream = upstream;
    this.#wheel = options.wheel;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#maxAgeMs = options.maxAgeMs ?? 0;
    this.#halfClose = options.halfClose ?? true;
    this.#onDone = onDone;
    this.#activeMs = options.wheel.nowMs;
    this.#startedMs = this.#activeMs;
    this.#down = this.#sideOf(downstream, upstream, options.rates?.upload);
    this.#up = this.#sideOf(upstream, downstream, options.rates?.download);
  }

  /** @internal */
  start(head: Uint8Array | undefined): void {
    const dueMs = shorter(this.#idleTimeoutMs, this.#maxAgeMs);
    if (dueMs > 0) {
      this.#wheel.add(this, dueMs);
      this.#activeMs = this.#wheel.nowMs;
      this.#startedMs = this.#activeMs;
    }
    this.downstream.handler = this.#down;
    this.upstream.handler = this.#up;
    this.#up.resume();
    if (head !== undefined && head.length > 0) {
      if (!this.upstream.write(head)) this.stall(this.#down);
      this.#down.charge(head.length);
    }
    this.#down.readOn();
  }

  /** How long no byte has passed, milliseconds, to a tick of the wheel. */
  get idleMs(): number {
    return this.#wheel.nowMs - this.#activeMs;
  }

  /** It has been closed or finished, or one of its sides is gone. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /**
   * Ends the session from outside: both wires close at once, with FIN, or RST where a write is outstanding.
   * @param code what `onDone` reports, unless the session was ending already. Idempotent.
   */
  close(code: ErrorCode): void {
    this.#note(code, undefined);
    this.#hangUp();
  }

  /**
   * Ends the session from outside without cutting anything off: nothing more is passed on, what was read before is delivered, then
   * both sides get FIN. Peers that do not end too are closed 5 s later, with RST if they did not take what was left.
   * @param code what `onDone` reports. No effect on a session that is ending.
   */
  finish(code: ErrorCode): void {
    if (this.#isEnding) return;
    this.#note(code, undefined);
    this.#isFinishing = true;
    this.#wheel.add(this, LINGER_MS);
    this.#down.takeLeave();
    this.#up.takeLeave();
  }

  override onDue(nowMs: number): number {
    if (this.#isFinishing) {
      this.#hangUp();
      return 0;
    }
    // Who has to wait for its turn is not idle.
    if (this.#down.isThrottled || this.#up.isThrottled) this.touch();
    // One tick more: the times noted are up to one tick older than what happened.
    const lateMs = nowMs - this.#wheel.tickMs;
    const ageLeftMs = this.#maxAgeMs > 0 ? this.#startedMs + this.#maxAgeMs - lateMs : Infinity;
    const idleLeftMs = this.#idleTimeoutMs > 0 ? this.#activeMs + this.#idleTimeoutMs - lateMs : Infinity;
    if (idleLeftMs <= 0) this.close('SESSION_IDLE_TIMEOUT');
    else if (ageLeftMs <= 0) this.finish('SESSION_MAX_AGE');
    else return Math.min(ageLeftMs, idleLeftMs);
    return 0;
  }

  /** @internal A byte passed. */
  touch(): void {
    this.#activeMs = this.#wheel.nowMs;
  }

  /** @internal A write of what `from` brought is outstanding: nothing more is read from there. */
  stall(from: Side): void {
    from.wire.pause();
    this.#other(from).isStalled = true;
  }

  /** @internal The write to `to` is done. */
  unstall(to: Side): void {
    this.touch();
    to.isStalled = false;
    this.#other(to).resume();
  }

  /** @internal */
  mayRead(from: Side): boolean {
    return !this.#other(from).isStalled;
  }

  /** @internal The peer of `from` sent FIN. Whatever came before is in the other's kernel: a stalled side is not read from. */
  passEnd(from: Side): void {
    this.touch();
    if (this.#halfClose) {
      this.#other(from).wire.end();
      return;
    }
    this.#note(undefined, undefined);
    this.#hangUp();
  }

  /** @internal */
  wireClosed(side: Side, error: WireError | undefined): void {
    const other = this.#other(side);
    if (error !== undefined) {
      this.#note(lossCode(side === this.#down, error), error.errno);
      other.wire.reset();
    }
    // Without an error the other one is closed already, or closing: nothing here closes one side alone.
    if (!other.isClosed) return;
    this.#wheel.remove(this);
    const { bytesWritten: bytesToUpstream } = this.upstream;
    const { bytesWritten: bytesToDownstream } = this.downstream;
    this.#onDone({ code: this.#code, errno: this.#errno, bytesToUpstream, bytesToDownstream }, this);
  }

  #sideOf(wire: Wire, to: Wire, rate: number | undefined): Side {
    return rate === undefined ? new Side(this, wire, to) : new LimitedSide(this, wire, to, this.#wheel, rate);
  }

  #other(side: Side): Side {
    return side === this.#down ? this.#up : this.#down;
  }

  /** The first reason stays. */
  #note(code: ErrorCode | undefined, errno: string | undefined): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#code = code;
    this.#errno = errno;
  }

  #hangUp(): void {
    this.#down.hangUp();
    this.#up.hangUp();
  }
}

/** Of two times of which 0 is never. */
function shorter(left: number, right: number): number {
  return left > 0 && right > 0 ? Math.min(left, right) : Math.max(left, right);
}

function lossCode(isDownstream: boolean, { kind }: WireError): ErrorCode {
  if (isDownstream) return kind === 'reset' ? 'DOWNSTREAM_RESET' : 'DOWNSTREAM_LOST';
  return kind === 'reset' ? 'UPSTREAM_RESET' : 'UPSTREAM_LOST';
}
