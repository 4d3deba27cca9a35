/**
 * Smooth weighted round robin: in any run as long as the sum of the weights, without what divides them all, each comes up
 * as often as its weight says, and a heavy one is spread over the run.
 */
export class WeightedTurns<T> {
  readonly #turns: readonly { readonly value: T; readonly weight: number; credit: number }[];
  readonly #sum: number;

  /**
   * @param weights ≥ 0; 0 never has its turn.
   * @param random where in a run it begins, from 0 up to 1: many workers shall not begin at the same place.
   */
  constructor(weights: readonly (readonly [value: T, weight: number])[], random: () => number = Math.random) {
    this.#turns = weights
      .filter(([, weight]) => weight > 0)
      .map(([value, weight]) => ({ value, weight, credit: 0 }));
    this.#sum = this.#turns.reduce((sum, { weight }) => sum + weight, 0);
    const divisor = this.#turns.reduce((common, { weight }) => greatestDivisor(common, weight), 0);
    const skipped = Math.floor(random() * Math.min(this.#sum / (divisor || 1), MOST_SKIPPED));
    for (let count = 0; count < skipped; count++) this.next();
  }

  /** @returns undefined when none has a weight. */
  next(): T | undefined {
    let best = this.#turns[0];
    for (const turn of this.#turns) {
      turn.credit += turn.weight;
      if (best === undefined || turn.credit > best.credit) best = turn;
    }
    if (best !== undefined) best.credit -= this.#sum;
    return best?.value;
  }
}

/** Weights may be so large that a run never ends. */
const MOST_SKIPPED = 1000;

function greatestDivisor(left: number, right: number): number {
  return left === 0 ? right : greatestDivisor(right % left, left);
}
