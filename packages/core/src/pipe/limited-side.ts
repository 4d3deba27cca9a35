import { Side } from './side.ts';
import type { SideOwner } from './side.ts';
import { WheelEntry } from './timer-wheel.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { Wire, WireError } from './wire.ts';

/**
 * A side that is read from no faster than a rate: a bucket of bytes that holds what comes in a second, and is full at first. A read
 * may overdraw it; then the wire is paused until it is even, found out up to two ticks of the wheel later. What the peer sends
 * meanwhile fills the system's buffers, and then stops the peer.
 */
export class LimitedSide extends Side {
  readonly #bytesPerMs: number;
  readonly #bucketBytes: number;
  readonly #wheel: TimerWheel;
  readonly #pause: Pause;
  #leftBytes: number;
  /** The wheel's coarse time of the last refill. */
  #filledMs: number;

  /** @param bytesPerSecond > 0. */
  constructor(owner: SideOwner, wire: Wire, to: Wire, wheel: TimerWheel, bytesPerSecond: number) {
    super(owner, wire, to);
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#bucketBytes = bytesPerSecond;
    this.#wheel = wheel;
    this.#pause = new Pause(this);
    this.#leftBytes = bytesPerSecond;
    this.#filledMs = wheel.nowMs;
  }

  override onData(view: Uint8Array): void {
    super.onData(view);
    this.charge(view.length);
  }

  override charge(bytes: number): void {
    const missing = this.#fill() + bytes;
    this.#leftBytes -= bytes;
    if (missing <= 0 || this.isThrottled) return;
    this.isThrottled = true;
    this.wire.pause();
    this.#wheel.add(this.#pause, missing / this.#bytesPerMs);
  }

  override resume(): void {
    if (!this.isThrottled) super.resume();
  }

  override onClosed(error: WireError | undefined): void {
    this.#wheel.remove(this.#pause);
    super.onClosed(error);
  }

  /** @internal The pause is over. @returns milliseconds that it is not. */
  goOn(): number {
    const missing = this.#fill();
    if (missing > 0) return missing / this.#bytesPerMs;
    this.isThrottled = false;
    this.readOn();
    return 0;
  }

  /** @returns the bytes that are missing until the bucket is even; below 0 when there are some. */
  #fill(): number {
    const { nowMs } = this.#wheel;
    const filled = this.#leftBytes + (nowMs - this.#filledMs) * this.#bytesPerMs;
    this.#leftBytes = Math.min(filled, this.#bucketBytes);
    this.#filledMs = nowMs;
    return -this.#leftBytes;
  }
}

class Pause extends WheelEntry {
  readonly #side: LimitedSide;

  constructor(side: LimitedSide) {
    super();
    this.#side = side;
  }

  override onDue(): number {
    return this.#side.goOn();
  }
}
