import { setImmediate as nextTurn } from 'node:timers/promises';

/** For a machine that is slow to accept hundreds; who comes meanwhile is let in one by one. Milliseconds. */
const LIMIT_MS = 5000;

/**
 * Lets a listener accept who has come before it is closed: the system resets those who wait then, though their connections
 * were made. Nobody tells how many wait, but a turn of the event loop that accepts nobody has found none.
 * @param accepted connections so far; undefined: the listener was closed meanwhile.
 */
export async function acceptRest(accepted: () => number | undefined): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  // From wherever in a turn this was called to its end.
  await nextTurn();
  let before: number | undefined;
  do {
    before = accepted();
    await nextTurn();
  } while (accepted() !== before && performance.now() < endMs);
}
