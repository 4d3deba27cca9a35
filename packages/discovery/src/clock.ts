/** Time as this package needs it. */
export interface Clock {
  /** Calls back once after `delayMs` milliseconds. @returns a function that calls it off. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's own clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
