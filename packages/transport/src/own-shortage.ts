/** Descriptors and memory: a connection to any other node would need them too. */
const ofEverything: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS']);

/** Local ports are counted towards each node apart, so there may be one towards another. */
const ofLocalPorts: ReadonlySet<string> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);

/**
 * What this machine has run out of, by the system's name for a failed connection or socket; undefined when it is another
 * failure. The node has no part in such a one.
 */
export function ownShortage(errno: string | undefined): 'everything' | 'local-ports' | undefined {
  if (errno === undefined) return undefined;
  if (ofEverything.has(errno)) return 'everything';
  return ofLocalPorts.has(errno) ? 'local-ports' : undefined;
}
