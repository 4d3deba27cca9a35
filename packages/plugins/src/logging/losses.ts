import { WheelEntry } from '@apisix-ts/core';
import type { TimerWheel } from '@apisix-ts/core';

/** How long losses are only counted after some were told of. Milliseconds. */
const QUIET_MS = 1000;

/** Tells of entries that were lost: of the first ones at once, and of more of them a second later at the earliest, all together. */
export class Losses extends WheelEntry {
  readonly #wheel: TimerWheel;
  readonly #tell: (entries: number, reason: string) => void;
  #untold = 0;
  #reason = '';
  #isQuiet = false;

  /** @param tell is told of the last reason. */
  constructor(wheel: TimerWheel, tell: (entries: number, reason: string) => void) {
    super();
    this.#wheel = wheel;
    this.#tell = tell;
  }

  add(entries: number, reason: string): void {
    this.#untold += entries;
    this.#reason = reason;
    if (this.#isQuiet) return;
    this.flush();
    this.#isQuiet = true;
    this.#wheel.add(this, QUIET_MS);
  }

  override onDue(): number {
    this.#isQuiet = this.#untold > 0;
    this.flush();
    return this.#isQuiet ? QUIET_MS : 0;
  }

  /** Tells what there is to tell. */
  flush(): void {
    if (this.#untold === 0) return;
    const entries = this.#untold;
    this.#untold = 0;
    this.#tell(entries, this.#reason);
  }
}
