/**
 * Makes the work of one connection run one after the other. Node hands over requests that a client sent without
 * waiting all at once, and only orders the answers; a request must see what the one before it did (RFC 9112
 * section 9.3.2).
 */
export function createTurns(): <T>(connection: object, work: () => Promise<T>) => Promise<T> {
  const last = new WeakMap<object, Promise<unknown>>();
  return (connection, work) => {
    const done = (last.get(connection) ?? Promise.resolve()).then(work);
    last.set(
      connection,
      done.catch(() => {
        // How the work ended is its caller's business.
      }),
    );
    return done;
  };
}
