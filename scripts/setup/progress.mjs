/**
 * Says what is being done once it has taken a second, and how long it took in the end.
 * Goes to stderr, so that stdout stays the gateway's.
 */
export async function withProgress(what, work) {
  const startedAt = Date.now();
  let isShown = false;
  const timer = setTimeout(() => {
    isShown = true;
    console.error(`${what} …`);
  }, 1_000);
  try {
    const result = await work();
    if (isShown) console.error(`${what}: done in ${seconds(Date.now() - startedAt)}`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** `12.3 s` */
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
