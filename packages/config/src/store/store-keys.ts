/** Orders keys by their UTF-8 bytes, as stores do: `1`, `10`, `2`. JavaScript's own order differs above U+FFFF. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** @throws TypeError unless it is absent or a whole number of seconds from 1. */
export function checkTtl(ttlSeconds: number | undefined): void {
  if (ttlSeconds === undefined || (Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 1)) return;
  throw new TypeError(`ttlSeconds must be a whole number from 1, got ${ttlSeconds}.`);
}
