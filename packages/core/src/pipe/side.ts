import type { Wire, WireError, WireHandler } from './wire.ts';

/** What the sides of a session tell it. */
export interface SideOwner {
  /** A byte passed. */
  touch(): void;
  /** A write of what `from` brought is outstanding: nothing more is read from there. */
  stall(from: Side): void;
  /** The write to `to` is done. */
  unstall(to: Side): void;
  /** The peer of `from` sent FIN. Whatever came before is in the other's kernel: a stalled side is not read from. */
  passEnd(from: Side): void;
  /** Nothing that `from` brought is outstanding. */
  mayRead(from: Side): boolean;
  wireClosed(side: Side, error: WireError | undefined): void;
}

/** The ear of one wire of a session. */
export class Side implements WireHandler {
  readonly wire: Wire;
  /** A write to this wire is outstanding, and the other wire paused because of it. */
  isStalled = false;
  isClosed = false;
  /** It is not read from for a while, because of a limit. */
  isThrottled = false;
  readonly #owner: SideOwner;
  readonly #to: Wire;

  constructor(owner: SideOwner, wire: Wire, to: Wire) {
    this.#owner = owner;
    this.wire = wire;
    this.#to = to;
  }

  onData(view: Uint8Array): void {
    this.#owner.touch();
    if (!this.#to.write(view)) this.#owner.stall(this);
  }

  onWritten(): void {
    this.#owner.unstall(this);
  }

  onEnd(): void {
    this.#owner.passEnd(this);
  }

  onClosed(error: WireError | undefined): void {
    this.isClosed = true;
    this.#owner.wireClosed(this, error);
  }

  /** Reads from the wire, unless a limit forbids it. */
  resume(): void {
    this.wire.resume();
  }

  /** The same, unless a write is outstanding. */
  readOn(): void {
    if (this.#owner.mayRead(this)) this.resume();
  }

  /** Bytes were read before the session began. Only a limit wants to know. */
  charge(_bytes: number): void {}

  /** Closes at once: FIN, or RST where a write is outstanding. */
  hangUp(): void {
    if (this.isStalled) this.wire.reset();
    else this.wire.close();
  }

  /** Sends FIN after what is outstanding, and from then on only waits for the peer's: what still comes is dropped. */
  takeLeave(): void {
    if (this.isClosed) return;
    this.wire.handler = new Leaver(this);
    this.wire.end();
    this.wire.resume();
  }
}

/** The ear of a wire that has said its last word. */
class Leaver implements WireHandler {
  readonly #side: Side;

  constructor(side: Side) {
    this.#side = side;
  }

  onData(): void {}

  onEnd(): void {}

  onWritten(): void {
    this.#side.isStalled = false;
  }

  /** A reset is no news any more: the peer may not have wanted to be left. */
  onClosed(): void {
    this.#side.onClosed(undefined);
  }
}
