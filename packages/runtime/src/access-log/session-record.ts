import type { SessionReason } from '../data-plane/session-reason.ts';

/** What the access log can say about a session that has ended. */
export interface SessionRecord {
  readonly protocol: 'TCP' | 'UDP';
  /** Numbers the sessions of a worker, from 1. */
  readonly connection: number;
  /** When it ended. Milliseconds since 1970. */
  readonly endedAt: number;
  readonly durationMs: number;
  readonly listener: string;
  /** The client, as a believed PROXY header has it, otherwise the peer. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The peer of the connection. */
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly serverName: string | undefined;
  readonly reason: SessionReason;
  /** Bytes from and to the client. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly routeId: string | undefined;
  readonly serviceId: string | undefined;
  /** The addresses that were tried, the last one being the one that served. */
  readonly upstreams: readonly string[];
  /** The node of the last attempt. */
  readonly node: { readonly address: string; readonly port: number } | undefined;
  /** Absent where no connection came about. */
  readonly upstream:
    | {
        readonly connectMs: number;
        readonly sessionMs: number;
        readonly bytesReceived: number;
        readonly bytesSent: number;
      }
    | undefined;
}
