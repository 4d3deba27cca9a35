/** Lets a number of tasks run side by side; the others wait, and the first to come is the first to run. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** @param limit tasks at a time, ≥ 1. */
  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // Its place goes to the next one, so nobody who comes meanwhile gets in between.
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
