import { WheelEntry } from '@apisix-ts/core';
import type { TimerWheel } from '@apisix-ts/core';

export interface BatchOptions {
  /** A batch goes out when it has so many entries or bytes, or when the first one is this old, or the last one. */
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxSilenceMs: number;
  /** What may wait, with what is being sent. More is lost. */
  readonly pendingEntries: number;
  readonly pendingBytes: number;
  /** Further attempts to send a batch, each so long after the one before. */
  readonly retries: number;
  readonly retryDelayMs: number;
}

/** Where batches go. */
export interface BatchSender {
  /** One at a time. Rejects when they did not go out. */
  send(entries: readonly string[]): Promise<void>;
  /** Gives up what is being sent, which then rejects, and closes what is open. The next `send` opens it again. */
  close(): void;
}

/** @param reason what was expected and what was found. */
export type OnLost = (entries: number, reason: string) => void;

/**
 * Collects entries and hands them over many at a time, in order. Whoever adds one never waits: what cannot go out in time is
 * lost, and told of.
 */
export class Batches {
  readonly #options: BatchOptions;
  readonly #sender: BatchSender;
  readonly #wheel: TimerWheel;
  readonly #onLost: OnLost;
  readonly #dueTime = new Alarm(() => this.#look());
  readonly #retryTime = new Alarm(() => this.#retry?.());
  /** Ends the pause before another attempt. */
  #retry: (() => void) | undefined;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Of the batch that is being sent. */
  #sentEntries = 0;
  #sentBytes = 0;
  /** When the first and the last of those that wait came: the wheel's coarse time. */
  #firstMs = 0;
  #lastMs = 0;
  #isDue = false;
  #sending: Promise<void> | undefined;
  #isClosing = false;

  constructor(options: BatchOptions, sender: BatchSender, wheel: TimerWheel, onLost: OnLost) {
    this.#options = options;
    this.#sender = sender;
    this.#wheel = wheel;
    this.#onLost = onLost;
  }

  add(entry: string): void {
    const { pendingEntries, pendingBytes } = this.#options;
    const bytes = Buffer.byteLength(entry);
    if (this.#waiting.length + this.#sentEntries >= pendingEntries) {
      this.#onLost(1, `expected at most ${pendingEntries} entries to wait`);
      return;
    }
    if (this.#waitingBytes + this.#sentBytes + bytes > pendingBytes) {
      this.#onLost(1, `expected at most ${pendingBytes} bytes to wait`);
      return;
    }
    this.#waiting.push(entry);
    this.#waitingBytes += bytes;
    this.#setDueTime();
    if (this.#isFull || this.#isClosing) this.#start();
  }

  /**
   * Sends what is left, without a pause, for this long. What did not go out until then is lost. What is still added later
   * goes out at once.
   */
  async close(withinMs: number): Promise<void> {
    this.#isClosing = true;
    this.#retry?.();
    if (this.#waiting.length > 0) this.#start();
    if (this.#sending !== undefined) await settled(this.#sending, withinMs);
    if (this.#waiting.length > 0)
      this.#onLost(this.#waiting.length, `expected to send all within ${withinMs} ms`);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#wheel.remove(this.#dueTime);
    this.#sender.close();
    await this.#sending;
  }

  get #isFull(): boolean {
    return this.#waiting.length >= this.#options.maxEntries || this.#waitingBytes >= this.#options.maxBytes;
  }

  #setDueTime(): void {
    const { maxAgeMs, maxSilenceMs } = this.#options;
    const isFirst = this.#waiting.length === 1;
    // A wheel that stood still knows the time only from then on.
    if (isFirst) this.#wheel.add(this.#dueTime, Math.min(maxAgeMs, maxSilenceMs));
    this.#lastMs = this.#wheel.nowMs;
    if (isFirst) this.#firstMs = this.#lastMs;
  }

  /** @returns when to look again; 0: not at these. */
  #look(): number {
    const { maxAgeMs, maxSilenceMs } = this.#options;
    const dueMs = Math.min(this.#firstMs + maxAgeMs, this.#lastMs + maxSilenceMs);
    if (dueMs > this.#wheel.nowMs) return dueMs - this.#wheel.nowMs;
    this.#isDue = true;
    this.#start();
    return 0;
  }

  #start(): void {
    this.#sending ??= this.#sendWhatIsDue().finally(() => {
      this.#sending = undefined;
      if (this.#isClosing) this.#sender.close();
    });
  }

  async #sendWhatIsDue(): Promise<void> {
    do await this.#send(this.#take());
    while (this.#waiting.length > 0 && (this.#isFull || this.#isDue || this.#isClosing));
  }

  #take(): readonly string[] {
    const batch = this.#waiting.splice(0, this.#options.maxEntries);
    this.#sentEntries = batch.length;
    this.#sentBytes = batch.reduce((bytes, entry) => bytes + Buffer.byteLength(entry), 0);
    this.#waitingBytes -= this.#sentBytes;
    if (this.#waiting.length > 0) return batch;
    this.#isDue = false;
    this.#wheel.remove(this.#dueTime);
    return batch;
  }

  async #send(batch: readonly string[]): Promise<void> {
    for (let left = this.#options.retries; ; left -= 1) {
      try {
        await this.#sender.send(batch);
        break;
      } catch (error) {
        if (left === 0 || this.#isClosing) {
          this.#onLost(batch.length, reasonOf(error));
          break;
        }
      }
      await this.#pause();
    }
    this.#sentEntries = 0;
    this.#sentBytes = 0;
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#retry = resolve;
    this.#wheel.add(this.#retryTime, this.#options.retryDelayMs);
    await promise;
    this.#retry = undefined;
    this.#wheel.remove(this.#retryTime);
  }
}

/** Of several addresses that cannot be connected to, each has its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

class Alarm extends WheelEntry {
  readonly #ring: () => number | void;

  constructor(ring: () => number | void) {
    super();
    this.#ring = ring;
  }

  override onDue(): number {
    return this.#ring() ?? 0;
  }
}

/** Settles with `work`, or after this long. */
async function settled(work: Promise<void>, withinMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, withinMs);
  await Promise.race([work, late]);
  clearTimeout(timer);
}
