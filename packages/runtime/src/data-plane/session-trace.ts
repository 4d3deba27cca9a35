import type { Wire } from '@apisix-ts/core';

/** What only the access log wants, collected while a session goes on. */
export interface SessionTrace {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly serverAddress: string;
  readonly upstreams: string[];
}

/** @param wire the accepted one, open. */
export function startTrace(wire: Wire): SessionTrace {
  return {
    peerAddress: wire.remoteAddress,
    peerPort: wire.remotePort,
    serverAddress: wire.localAddress,
    upstreams: [],
  };
}
