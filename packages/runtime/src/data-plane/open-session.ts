import type { CountableSession } from './count-progress.ts';
import type { SessionReason } from './session-reason.ts';
import type { CompiledRoute } from './routing-table.ts';
import type { ClosableSession } from './session-closer.ts';
import type { Upstream, WorkerNode } from './upstream.ts';

/**
 * What a session is doing: its heads are read or TLS is agreed on with the client; it waits for a node that has room; a node is
 * connected to; bytes are relayed; both sides were told that it is over, and their last bytes may still be under way.
 */
export type SessionState = 'arriving' | 'waiting' | 'dialing' | 'relaying' | 'closing';

/** A session that is open, to be looked at. Nothing is kept for it; addresses are asked of the system when they are read. */
export interface OpenSession extends ClosableSession, CountableSession {
  /** Among all that its worker ever had, from 1. */
  readonly number: number;
  readonly transport: 'tcp' | 'udp';
  /** By the worker's clock, milliseconds. */
  readonly startedMs: number;
  readonly state: SessionState;
  readonly listenerName: string;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly serverName: string | undefined;
  readonly route: CompiledRoute | undefined;
  readonly upstream: Upstream | undefined;
  /** The node that it has, or that is being connected to. */
  readonly node: WorkerNode | undefined;
  /** Bytes from and to the client. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** How long no byte has passed; 0 before anything is relayed. Milliseconds, to a tick of the wheel. */
  readonly idleMs: number;
  /** Ends it without cutting anything off that was read; at once where nothing is relayed. */
  finish(reason: Exclude<SessionReason, 'OK'>): void;
}
