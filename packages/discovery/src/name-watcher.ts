import { isDeepStrictEqual } from 'node:util';
import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { Lookup } from './lookup.ts';

export interface NameWatcherOptions<Address = string> {
  readonly lookup: Lookup<Address>;
  /** The addresses of a followed name are others than before. Not called for the first answer of `follow`. */
  readonly onChange: (name: string, addresses: readonly Address[]) => void;
  /** A look-up failed. `addresses` is the last good answer, which keeps serving; empty when there never was one. */
  readonly onFailure: (name: string, error: GatewayError, addresses: readonly Address[]) => void;
  readonly clock?: Clock;
}

/** Milliseconds between look-ups of one name, whatever its TTL says. */
const SHORTEST_PAUSE_MS = 1000;
/** Milliseconds until a failed look-up is repeated: doubled each time from the first to the second. */
const RETRY_PAUSE_MS = { first: 1000, longest: 5000 } as const;
/** A TTL may be years; a timer may not. Milliseconds. */
const LONGEST_PAUSE_MS = 24 * 60 * 60 * 1000;

/**
 * Keeps the addresses of names in use, of hosts or of services: each is looked up when it is first followed and again when its TTL has
 * passed, once for the whole gateway. While look-ups fail the last good answer stays.
 */
export class NameWatcher<Address = string> {
  readonly #options: NameWatcherOptions<Address>;
  readonly #clock: Clock;
  readonly #names = new Map<string, FollowedName<Address>>();

  constructor(options: NameWatcherOptions<Address>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Starts following a name; one that is followed already is only counted once more.
   * @returns settles with the first answer, or without one when the first look-up failed.
   */
  follow(name: string): Promise<void> {
    let followed = this.#names.get(name);
    if (followed === undefined) {
      followed = new FollowedName(name, this.#options, this.#clock);
      this.#names.set(name, followed);
    }
    followed.users += 1;
    return followed.firstAnswer;
  }

  /** Ends one `follow`. The name is forgotten with its last user. */
  unfollow(name: string): void {
    const followed = this.#names.get(name);
    if (followed === undefined) return;
    followed.users -= 1;
    if (followed.users > 0) return;
    followed.stop();
    this.#names.delete(name);
  }

  /** The last good answer; empty when there was none yet. */
  addressesOf(name: string): readonly Address[] {
    return this.#names.get(name)?.addresses ?? [];
  }

  /** Forgets every name. */
  close(): void {
    for (const followed of this.#names.values()) followed.stop();
    this.#names.clear();
  }
}

class FollowedName<Address> {
  users = 0;
  addresses: readonly Address[] = [];
  readonly firstAnswer: Promise<void>;

  readonly #name: string;
  readonly #options: NameWatcherOptions<Address>;
  readonly #clock: Clock;
  #failures = 0;
  #stopped = false;
  #cancelNext: () => void = () => {};

  constructor(name: string, options: NameWatcherOptions<Address>, clock: Clock) {
    this.#name = name;
    this.#options = options;
    this.#clock = clock;
    this.firstAnswer = this.#lookUp(true);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelNext();
  }

  async #lookUp(isFirst: boolean): Promise<void> {
    let pauseMs: number;
    try {
      const { addresses, ttlSeconds } = await this.#options.lookup(this.#name);
      if (this.#stopped) return;
      this.#failures = 0;
      pauseMs = Math.min(Math.max(ttlSeconds * 1000, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
      this.#accept(addresses, isFirst);
    } catch (error) {
      if (!isGatewayError(error, 'UPSTREAM_NAME_UNRESOLVED')) throw error;
      if (this.#stopped) return;
      pauseMs = Math.min(RETRY_PAUSE_MS.first * 2 ** this.#failures, RETRY_PAUSE_MS.longest);
      this.#failures += 1;
      this.#options.onFailure(this.#name, error, this.addresses);
    }
    // The next round has no caller; an error that is not about the name is a defect and ends the process.
    this.#cancelNext = this.#clock.after(pauseMs, () => void this.#lookUp(false));
  }

  #accept(addresses: readonly Address[], isFirst: boolean): void {
    if (isDeepStrictEqual(addresses, this.addresses)) return;
    this.addresses = addresses;
    if (!isFirst) this.#options.onChange(this.#name, addresses);
  }
}
