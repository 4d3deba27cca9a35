/** After this long a measurement counts for 1/e. Milliseconds. As Finagle, ingress-nginx and APISIX have it. */
const DECAY_MS = 10_000;

/** What a failed attempt counts for at least: as much as a lost SYN, so that a quick refusal never looks fast. */
const FAILED_MS = 1_000;

/**
 * The peak-sensitive average of Finagle: a slower connection counts at once and in full, because it is the first sign
 * of a full accept queue; a faster one only as far as the old average has aged, `took + (average − took) · e^(−age/τ)`,
 * so that recovery has to last.
 * @param averageMs undefined before the first.
 * @param ageMs since the measurement before.
 */
export function averageConnectMs(averageMs: number | undefined, tookMs: number, ageMs: number): number {
  if (averageMs === undefined || tookMs >= averageMs) return tookMs;
  return tookMs + (averageMs - tookMs) * decay(ageMs);
}

/** As `averageConnectMs`, for an attempt that came to nothing after `tookMs`. */
export function averageFailedConnectMs(averageMs: number | undefined, tookMs: number, ageMs: number): number {
  return averageConnectMs(averageMs, Math.max(tookMs, FAILED_MS), ageMs);
}

/**
 * `average · e^(−unasked/τ)`: the longer a node has not been tried, the better it looks, until it is tried again;
 * otherwise one bad moment would exclude it for ever. The next attempt uses the discount up: a burst finds the full
 * average again and does not follow into a node that may still be slow or dead.
 * @param unaskedMs since the last attempt began.
 */
export function discountConnectMs(averageMs: number, unaskedMs: number): number {
  return averageMs * decay(unaskedMs);
}

function decay(elapsedMs: number): number {
  return Math.exp(-Math.max(0, elapsedMs) / DECAY_MS);
}
