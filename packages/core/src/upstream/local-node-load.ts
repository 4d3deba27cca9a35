import { averageConnectMs, averageFailedConnectMs, discountConnectMs } from './connect-average.ts';
import type { NodeLoad } from './node-load.ts';

export interface LocalNodeLoadOptions {
  /**
   * Monotonic, milliseconds; the zero point does not matter. Each reading of `connectMs` asks it, so a coarse clock,
   * a tick every 100 ms, is the better one on a hot path. Default `performance.now`.
   */
  readonly nowMs?: () => number;
}

/**
 * The load of a node in the memory of one thread. Each `begin` is followed by exactly one `end`; between them comes
 * `connected` or `failed`, once, or neither if the attempt was given up.
 */
export class LocalNodeLoad implements NodeLoad {
  isHealthy = true;
  readonly #nowMs: () => number;
  #active = 0;
  #averageMs: number | undefined;
  #measuredAtMs = 0;
  #askedAtMs = 0;

  constructor({ nowMs = () => performance.now() }: LocalNodeLoadOptions = {}) {
    this.#nowMs = nowMs;
  }

  get active(): number {
    return this.#active;
  }

  get connectMs(): number | undefined {
    if (this.#averageMs === undefined) return undefined;
    return discountConnectMs(this.#averageMs, this.#nowMs() - this.#askedAtMs);
  }

  /** A session begins an attempt to reach the node. */
  begin(): void {
    this.#active += 1;
    this.#askedAtMs = this.#nowMs();
  }

  /** @param tookMs since `begin`. */
  connected(tookMs: number): void {
    const nowMs = this.#nowMs();
    this.#averageMs = averageConnectMs(this.#averageMs, tookMs, nowMs - this.#measuredAtMs);
    this.#measuredAtMs = nowMs;
  }

  /** @param tookMs since `begin`. */
  failed(tookMs: number): void {
    const nowMs = this.#nowMs();
    this.#averageMs = averageFailedConnectMs(this.#averageMs, tookMs, nowMs - this.#measuredAtMs);
    this.#measuredAtMs = nowMs;
  }

  /** The session lets go of the node. */
  end(): void {
    this.#active -= 1;
  }
}
