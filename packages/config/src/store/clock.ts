/** Time as the stores and their followers see it; tests pass one that they move by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Calls back once, about `delayMs` from now, never during the call. A long delay may be cut short: look at `now`.
   * @returns cancels it; idempotent.
   */
  after(delayMs: number, callback: () => void): () => void;
}

/** The longest delay setTimeout takes, in milliseconds (24.8 days); a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, longestDelayMs));
    return () => clearTimeout(timer);
  },
};
