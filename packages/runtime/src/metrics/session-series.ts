import { routeLabels, statusLabels } from './session-tallies.ts';
import type { SessionTally, StatusLabels } from './session-tallies.ts';

/** A counter with labels. */
export interface Series<Labels> {
  readonly labels: Labels;
  /** What the operator has the series labelled with too. Absent: nothing. */
  readonly extra?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface SessionSeriesOptions {
  /** A series goes when no session was added to it for this long. Milliseconds; 0 is never. */
  readonly routeAgeMs: number;
  readonly statusAgeMs: number;
  /** The names of extra labels, in the order of their values. Default: none. */
  readonly routeExtra?: readonly string[];
  readonly statusExtra?: readonly string[];
  readonly nowMs: () => number;
}

/** Series of one metric; one more ends a tenth of them, those that have been silent longest. */
const MOST_SERIES = 20_000;

/** Ended sessions of all workers by route, and by code, listener and node, as far as the workers have told. */
export class SessionSeries {
  readonly #routes: AgingCounts;
  readonly #statuses: AgingCounts;

  readonly #routeExtra: readonly string[];
  readonly #statusExtra: readonly string[];

  constructor({ routeAgeMs, statusAgeMs, routeExtra = [], statusExtra = [], nowMs }: SessionSeriesOptions) {
    this.#routeExtra = routeExtra;
    this.#statusExtra = statusExtra;
    this.#routes = new AgingCounts(routeAgeMs, nowMs);
    this.#statuses = new AgingCounts(statusAgeMs, nowMs);
  }

  /** Series that had to make room for others. */
  get evicted(): number {
    return this.#routes.evicted + this.#statuses.evicted;
  }

  add({ routes, statuses }: SessionTally): void {
    this.#routes.add(routes);
    this.#statuses.add(statuses);
  }

  /** By the id of the route; empty: sessions without one. */
  *routes(): Iterable<Series<string>> {
    for (const [key, value] of this.#routes.entries()) {
      const [labels, values] = routeLabels(key);
      yield { labels, ...extraOf(this.#routeExtra, values), value };
    }
  }

  *statuses(): Iterable<Series<StatusLabels>> {
    for (const [key, value] of this.#statuses.entries()) {
      const [labels, values] = statusLabels(key);
      yield { labels, ...extraOf(this.#statusExtra, values), value };
    }
  }
}

function extraOf(names: readonly string[], values: readonly string[]): Pick<Series<unknown>, 'extra'> {
  if (names.length === 0) return {};
  return { extra: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) };
}

interface Count {
  value: number;
  changedMs: number;
}

/** Counts that go when they are silent for long. Whoever reads them may take several turns of the event loop. */
class AgingCounts {
  readonly #ageMs: number;
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, Count>();
  #evicted = 0;

  constructor(ageMs: number, nowMs: () => number) {
    this.#ageMs = ageMs;
    this.#nowMs = nowMs;
  }

  get evicted(): number {
    return this.#evicted;
  }

  add(amounts: ReadonlyMap<string, number>): void {
    const changedMs = this.#nowMs();
    for (const [key, amount] of amounts) {
      const count = this.#counts.get(key);
      if (count === undefined) {
        this.#counts.set(key, { value: amount, changedMs });
      } else {
        count.value += amount;
        count.changedMs = changedMs;
      }
    }
    if (this.#counts.size > MOST_SERIES) this.#makeRoom();
  }

  *entries(): Iterable<readonly [string, number]> {
    const oldestMs = this.#ageMs === 0 ? Number.NEGATIVE_INFINITY : this.#nowMs() - this.#ageMs;
    for (const [key, { value, changedMs }] of this.#counts) {
      if (changedMs > oldestMs) yield [key, value];
      else this.#counts.delete(key);
    }
  }

  /** For some more than the next one: finding those that have been silent longest takes some milliseconds. */
  #makeRoom(): void {
    const bySilence = [...this.#counts].sort(([, left], [, right]) => left.changedMs - right.changedMs);
    const excess = this.#counts.size - MOST_SERIES * 0.9;
    for (const [key] of bySilence.slice(0, excess)) this.#counts.delete(key);
    this.#evicted += Math.floor(excess);
  }
}
