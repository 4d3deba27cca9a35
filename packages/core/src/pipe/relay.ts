import type { ErrorCode } from '@apisix-ts/errors';
import { WheelEntry } from './timer-wheel.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { Wire, WireError, WireHandler } from './wire.ts';

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
   * Pass an end of one direction on and keep the other one open, as RFC 9293 section 3.6 has it; default true. If false, the first FIN ends the session,
   * after all that came before it was handed to the kernel of the other side.
   */
  readonly halfClose?: boolean;
}

export interface RelayResult {
  /**
   * Why the session ended; absent when both ends closed in order. `DOWNSTREAM_RESET`, `UPSTREAM_RESET`: by an RST;
   * `DOWNSTREAM_LOST`, `UPSTREAM_LOST`: another error of the connection; `SESSION_IDLE_TIMEOUT`; or the code that
   * `close` was called with.
   */
  readonly code: ErrorCode | undefined;
  /** The system's name for the broken connection's error: `ECONNRESET`. */
  readonly errno: string | undefined;
  /** Bytes the upstream's wire accepted in its whole life, so with what was written to it before the relay. */
  readonly bytesToUpstream: number;
  /** Bytes the downstream's wire accepted in its whole life. */
  readonly bytesToDownstream: number;
}

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
export class Session extends WheelEntry {
  readonly downstream: Wire;
  readonly upstream: Wire;
  readonly #down: Side;
  readonly #up: Side;
  readonly #wheel: TimerWheel;
  readonly #idleTimeoutMs: number;
  readonly #halfClose: boolean;
  readonly #onDone: RelayDone;
  /** When the last byte passed: the wheel's coarse time. */
  #activeMs: number;
  #code: ErrorCode | undefined;
  #errno: string | undefined;
  #isEnding = false;

  /** @internal Use `relay`. */
  constructor(downstream: Wire, upstream: Wire, options: RelayOptions, onDone: RelayDone) {
    super();
    this.downstream = downstream;
    this.upstream = upstream;
    this.#wheel = options.wheel;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#halfClose = options.halfClose ?? true;
    this.#onDone = onDone;
    this.#activeMs = options.wheel.nowMs;
    this.#down = new Side(this, downstream, upstream);
    this.#up = new Side(this, upstream, downstream);
  }

  /** @internal */
  start(head: Uint8Array | undefined): void {
    if (this.#idleTimeoutMs > 0) {
      this.#wheel.add(this, this.#idleTimeoutMs);
      this.#activeMs = this.#wheel.nowMs;
    }
    this.downstream.handler = this.#down;
    this.upstream.handler = this.#up;
    this.upstream.resume();
    if (head !== undefined && head.length > 0 && !this.upstream.write(head)) this.stall(this.#down);
    else this.downstream.resume();
  }

  /** How long no byte has passed, milliseconds, to a tick of the wheel. */
  get idleMs(): number {
    return this.#wheel.nowMs - this.#activeMs;
  }

  /**
   * Ends the session from outside: both wires close at once, with FIN, or RST where a write is outstanding.
   * @param code what `onDone` reports, unless the session was ending already. Idempotent.
   */
  close(code: ErrorCode): void {
    this.#note(code, undefined);
    this.#hangUp();
  }

  override onDue(nowMs: number): number {
    // One tick more: the time noted is up to one tick older than the byte.
    const leftMs = this.#activeMs + this.#idleTimeoutMs + this.#wheel.tickMs - nowMs;
    if (leftMs > 0) return leftMs;
    this.close('SESSION_IDLE_TIMEOUT');
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
    this.#other(to).wire.resume();
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

/** The ear of one wire of a session. */
class Side implements WireHandler {
  readonly wire: Wire;
  /** A write to this wire is outstanding, and the other wire paused because of it. */
  isStalled = false;
  isClosed = false;
  readonly #session: Session;
  readonly #to: Wire;

  constructor(session: Session, wire: Wire, to: Wire) {
    this.#session = session;
    this.wire = wire;
    this.#to = to;
  }

  onData(view: Uint8Array): void {
    this.#session.touch();
    if (!this.#to.write(view)) this.#session.stall(this);
  }

  onWritten(): void {
    this.#session.unstall(this);
  }

  onEnd(): void {
    this.#session.passEnd(this);
  }

  onClosed(error: WireError | undefined): void {
    this.isClosed = true;
    this.#session.wireClosed(this, error);
  }

  hangUp(): void {
    if (this.isStalled) this.wire.reset();
    else this.wire.close();
  }
}

function lossCode(isDownstream: boolean, { kind }: WireError): ErrorCode {
  if (isDownstream) return kind === 'reset' ? 'DOWNSTREAM_RESET' : 'DOWNSTREAM_LOST';
  return kind === 'reset' ? 'UPSTREAM_RESET' : 'UPSTREAM_LOST';
}
