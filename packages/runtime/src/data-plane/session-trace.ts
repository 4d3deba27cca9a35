import type { Wire } from '@apisix-ts/core';
import { nextConnection } from '../access-log/session-record.ts';

/** What only the access log wants, collected while a session goes on. */
export interface SessionTrace {
  readonly connection: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly serverAddress: string;
  readonly upstreams: string[];
}

/** @param wire the accepted one, open. */
export function startTrace(wire: Wire): SessionTrace {
  return {
    connection: nextConnection(),
    peerAddress: wire.remoteAddress,
    peerPort: wire.remotePort,
    serverAddress: wire.localAddress,
    upstreams: [],
  };
}
