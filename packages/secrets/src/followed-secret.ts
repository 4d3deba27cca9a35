import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import type { WheelClock } from '@apisix-ts/core';
import type { Secret, SecretSource } from './secret-source.ts';
import type { Turns } from './turns.ts';

/** What all followed secrets share. */
export interface ReadingOptions {
  readonly clock: WheelClock;
  /** Milliseconds until a secret is read again; absent: never. */
  readonly ttlMs: number;
  /** Milliseconds until a failed read is repeated. */
  readonly retryMs: number;
  /** Bounds the reads under way. */
  readonly turns: Turns;
}

/** A timer may not be longer. Milliseconds. */
const LONGEST_PAUSE_MS = 24 * 60 * 60 * 1000;

/** One secret of one source, whoever refers to it: it is read, kept, and read again. */
export class FollowedSecret {
  /** References to it that are followed, as they are written. */
  readonly references: Set<string> = new Set();
  readonly path: string;
  /** What was read last; undefined when nothing ever was. */
  secret: Secret | undefined;
  /** Why the last read failed; undefined when it did not. */
  error: GatewayError | undefined;
  /** Settles when a read has ended that began after the last `readFrom`. */
  answered: Promise<void> = Promise.resolve();

  readonly #options: ReadingOptions;
  readonly #onChange: (secret: FollowedSecret) => void;
  #reading = new AbortController();
  #cancelNext: () => void = () => {};

  /** @param onChange called when what is kept or the code of the failure is another one than before. */
  constructor(path: string, options: ReadingOptions, onChange: (secret: FollowedSecret) => void) {
    this.path = path;
    this.#options = options;
    this.#onChange = onChange;
  }

  /** Reads from this source from now on, and what was read so far stays until it has answered. */
  readFrom(source: SecretSource, isConstant: boolean): void {
    this.stop();
    const reading = new AbortController();
    this.#reading = reading;
    this.answered = this.#read(source, isConstant, reading.signal);
  }

  /** Keeps nothing, and reads nothing. */
  forget(reason: GatewayError): void {
    this.stop();
    this.answered = Promise.resolve();
    this.#keep(undefined, reason);
  }

  stop(): void {
    this.#reading.abort();
    this.#cancelNext();
  }

  async #read(source: SecretSource, isConstant: boolean, signal: AbortSignal): Promise<void> {
    const { clock, turns, ttlMs, retryMs } = this.#options;
    let secret = this.secret;
    let error: GatewayError | undefined;
    try {
      secret = await turns.run(() => source.read(this.path, signal));
    } catch (failure) {
      if (signal.aborted) return;
      // Anything else is a defect, and ends the process.
      if (!isGatewayError(failure)) throw failure;
      error = failure;
    }
    if (signal.aborted) return;
    if (!isConstant) {
      const pauseMs = Math.min(error === undefined ? ttlMs : retryMs, LONGEST_PAUSE_MS);
      this.#cancelNext = clock.every(pauseMs, () => {
        this.#cancelNext();
        void this.#read(source, isConstant, signal);
      });
    }
    this.#keep(secret, error);
  }

  #keep(secret: Secret | undefined, error: GatewayError | undefined): void {
    const isSame = areSame(secret, this.secret) && error?.code === this.error?.code;
    this.secret = secret;
    this.error = error;
    if (!isSame) this.#onChange(this);
  }
}

/** Values that are no text cannot be used, so they are not looked into. */
function areSame(one: Secret | undefined, other: Secret | undefined): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return one === other;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => {
    const isText = typeof one[key] === 'string' || typeof other[key] === 'string';
    return Object.hasOwn(other, key) && (!isText || one[key] === other[key]);
  });
}
