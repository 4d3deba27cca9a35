/** Waits for one thing at a time, until it takes too long or whoever waits gives up. */
export class Patience {
  readonly #limitMs: number;
  #giveUp: (() => void) | undefined;

  /** @param limitMs > 0. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** @param missed what there was not in time: `no connection`. Rejects with it. */
  async wait<T>(work: Promise<T>, missed: string): Promise<T> {
    const { promise: end, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`${missed} within ${this.#limitMs} ms`)), this.#limitMs);
    this.#giveUp = () => reject(new Error(`${missed} until it had to end`));
    try {
      return await Promise.race([work, end]);
    } finally {
      this.#giveUp = undefined;
      clearTimeout(timer);
    }
  }

  /** What is waited for is not waited for any more. */
  giveUp(): void {
    this.#giveUp?.();
  }
}
