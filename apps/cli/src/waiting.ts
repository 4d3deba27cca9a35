import type { Clock } from '@apisix-ts/config';

const POLL_MS = 50;

export interface WaitOptions {
  readonly clock: Clock;
  /** Milliseconds; 0 waits for ever. */
  readonly timeoutMs: number;
  /** Told how long it has taken so far, before each further look. Milliseconds. */
  readonly onWaiting?: (elapsedMs: number) => void;
}

/**
 * Looks every 50 ms until there is an answer. Polling, because the file systems that keep the files of a gateway do not
 * all tell of changes, and nothing tells of the end of a process that is not a child.
 * @returns the answer, or undefined when the time is over.
 */
export async function waitFor<T>(
  look: () => T | undefined | Promise<T | undefined>,
  { clock, timeoutMs, onWaiting }: WaitOptions,
): Promise<T | undefined> {
  const start = clock.now();
  for (;;) {
    const answer = await look();
    if (answer !== undefined) return answer;
    const elapsedMs = clock.now() - start;
    if (timeoutMs > 0 && elapsedMs >= timeoutMs) return undefined;
    onWaiting?.(elapsedMs);
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
  }
}
