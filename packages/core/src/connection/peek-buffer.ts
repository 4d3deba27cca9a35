import { WheelEntry } from '../pipe/timer-wheel.ts';
import type { TimerWheel } from '../pipe/timer-wheel.ts';
import type { Wire, WireError, WireHandler } from '../pipe/wire.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { HeadAnswer, HeadParser } from './head-parser.ts';

export interface PeekOptions {
  /** Gives up when this many bytes did not decide. At most this and one read of the wire are kept. Bytes, above 0. */
  readonly limitBytes: number;
  /** Gives up after this long, which is found out up to two ticks of the wheel later. Milliseconds; 0 is never. */
  readonly timeoutMs: number;
}

/**
 * What came of a peek. `parsed`, `absent` and `malformed` are the parser's; the others ended it: the limit or the time-out
 * was reached, the client sent FIN and so can add nothing, or the connection is gone.
 */
export type PeekOutcome<T> =
  | { readonly kind: 'parsed'; readonly value: T }
  | { readonly kind: 'absent' | 'limit' | 'timeout' | 'ended' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'closed'; readonly error: WireError | undefined };

/**
 * Looks at the first bytes of a connection and keeps them for whoever goes on with it. Parsers take turns, and each begins
 * with what the one before left: a PROXY header, then a ClientHello.
 *
 * Outside a peek the wire is paused, with the handler it had before, and may be written to or handed on. During a peek
 * it belongs to the buffer. No memory is held until bytes come, and a decision on the first read copies them once.
 */
export class PeekBuffer {
  readonly #wire: Wire;
  readonly #wheel: TimerWheel;
  #head = new ByteBuffer();
  #hasEnded = false;
  #peek: { cancel(): void } | undefined;

  /** @param wire paused, with no write outstanding. */
  constructor(wire: Wire, wheel: TimerWheel) {
    this.#wire = wire;
    this.#wheel = wheel;
  }

  /**
   * The client sent FIN, and no `onEnd` will come from the wire any more: a relay that takes over is told by ending
   * the upstream after the head.
   */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Bytes that were read and that no parser consumed. */
  get headBytes(): number {
    return this.#head.length;
  }

  /** Hands these bytes over, once: afterwards there are none here. The memory is not touched again. */
  takeHead(): Uint8Array {
    const { bytes } = this.#head;
    this.#head = new ByteBuffer();
    return bytes;
  }

  /**
   * Feeds the parser until it decides.
   * @param onOutcome called once, with the wire paused; from inside this call if what was read before decides. After
   * `closed` the wire is of no more use. Not called after `cancel`.
   */
  peek<T>(parser: HeadParser<T>, options: PeekOptions, onOutcome: (outcome: PeekOutcome<T>) => void): void {
    if (this.#peek !== undefined) throw new TypeError('one peek at a time');
    const head = this.#head;
    if (head.length > 0) {
      const outcome = this.#read(parser.push(head.bytes), options);
      if (outcome !== undefined) {
        onOutcome(outcome);
        return;
      }
    }
    if (this.#hasEnded) {
      onOutcome({ kind: 'ended' });
      return;
    }
    const peek = new Peek<T>(this.#wire, this.#wheel, {
      onBytes: (view) => {
        const answer = parser.push(view);
        this.#head.append(view);
        return this.#read(answer, options);
      },
      onOutcome: (outcome) => {
        this.#peek = undefined;
        if (outcome.kind === 'ended') this.#hasEnded = true;
        onOutcome(outcome);
      },
    });
    this.#peek = peek;
    peek.start(options.timeoutMs);
  }

  /** Ends a running peek without an outcome: the wire is paused and free. */
  cancel(): void {
    this.#peek?.cancel();
    this.#peek = undefined;
  }

  #read<T>(answer: HeadAnswer<T>, { limitBytes }: PeekOptions): PeekOutcome<T> | undefined {
    if (answer.kind === 'need-more') return this.#head.length < limitBytes ? undefined : { kind: 'limit' };
    if (answer.kind !== 'parsed') return answer;
    this.#head.consume(answer.consumedBytes);
    return { kind: 'parsed', value: answer.value };
  }
}

interface PeekEvents<T> {
  onBytes(view: Uint8Array): PeekOutcome<T> | undefined;
  onOutcome(outcome: PeekOutcome<T>): void;
}

/** The ear of the wire while one parser reads, and its deadline. */
class Peek<T> extends WheelEntry implements WireHandler {
  readonly #wire: Wire;
  readonly #wheel: TimerWheel;
  readonly #events: PeekEvents<T>;
  readonly #handlerBefore: WireHandler;

  constructor(wire: Wire, wheel: TimerWheel, events: PeekEvents<T>) {
    super();
    this.#wire = wire;
    this.#wheel = wheel;
    this.#events = events;
    this.#handlerBefore = wire.handler;
  }

  start(timeoutMs: number): void {
    this.#wire.handler = this;
    if (timeoutMs > 0) this.#wheel.add(this, timeoutMs);
    this.#wire.resume();
  }

  onData(view: Uint8Array): void {
    const outcome = this.#events.onBytes(view);
    if (outcome !== undefined) this.#finish(outcome);
  }

  onEnd(): void {
    this.#finish({ kind: 'ended' });
  }

  onWritten(): void {
    // Nothing is outstanding when a peek begins, and it writes nothing.
  }

  onClosed(error: WireError | undefined): void {
    this.#finish({ kind: 'closed', error });
  }

  override onDue(): number {
    this.#finish({ kind: 'timeout' });
    return 0;
  }

  cancel(): void {
    this.#wheel.remove(this);
    this.#wire.pause();
    this.#wire.handler = this.#handlerBefore;
  }

  #finish(outcome: PeekOutcome<T>): void {
    this.cancel();
    this.#events.onOutcome(outcome);
  }
}
