import type { Wire } from '@apisix-ts/core';

/** The addresses of a client's connection, which the system forgets with the connection. */
export interface SessionTrace {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly serverAddress: string;
}

/** @param wire the accepted one, open. */
export function startTrace(wire: Wire): SessionTrace {
  return { peerAddress: wire.remoteAddress, peerPort: wire.remotePort, serverAddress: wire.localAddress };
}
