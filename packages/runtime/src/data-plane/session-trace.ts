import type { Wire } from '@apisix-ts/core';
import type { SessionRecord } from '../access-log/session-record.ts';
import type { OpenSession } from './open-session.ts';

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

/** What the access log says of a session that ends. */
export function recordOf(
  session: OpenSession,
  trace: SessionTrace,
  ending: Pick<SessionRecord, 'reason' | 'durationMs' | 'node' | 'upstream'>,
): SessionRecord {
  return {
    ...ending,
    ...trace,
    connection: session.number,
    protocol: session.transport === 'tcp' ? 'TCP' : 'UDP',
    endedAt: Date.now(),
    listener: session.listenerName,
    remoteAddress: session.remoteAddress,
    remotePort: session.remotePort,
    serverPort: session.serverPort,
    serverName: session.serverName,
    bytesReceived: session.bytesReceived,
    bytesSent: session.bytesSent,
    routeId: session.route?.id,
    serviceId: session.route?.serviceId,
  };
}
