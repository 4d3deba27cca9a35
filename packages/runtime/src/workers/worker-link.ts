import type { ConnectionFields, ListenerTls, Revision } from '@apisix-ts/config';
import type { GatewayError } from '@apisix-ts/errors';
import type { Overlap } from '../data-plane/routing-table.ts';
import type { FactChange } from '../facts/facts.ts';
import type { AccessLogEscape } from '../access-log/format.ts';
import type { LogLevel } from '../log.ts';
import type { SessionTally, TallyVariables } from '../metrics/session-tallies.ts';
import type { WorkerMemory } from '../shared-tally.ts';
import type { Drain } from './drain.ts';
import type { TracingOptions } from '../tracing/tracing.ts';
import type { AnswerTo, QuestionName, QuestionOf } from './questions.ts';

export interface HeadOptions {
  /** A PROXY header has to come first. */
  readonly proxyProtocol: boolean;
  /** Addresses and CIDR blocks of peers whose PROXY header is believed. */
  readonly trusted: readonly string[];
  /** Look for the server name of a ClientHello, and pass TLS on as it is. */
  readonly tlsPassthrough: boolean;
  /** The version of the PROXY header that is sent to upstreams; 0 is none. */
  readonly proxyProtocolToUpstream: 0 | 1 | 2;
}

/** A listener as a worker opens it. */
export interface ListenerSpec extends ConnectionFields {
  readonly protocol: 'tcp' | 'udp';
  /** What the operator calls it: `0.0.0.0:9100`, `0.0.0.0:53/udp`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Its place among the shared counters. */
  readonly slot: number;
  /** Terminate TLS; absent: do not. */
  readonly tls?: ListenerTls | undefined;
  /** What has to be read from a client before it is routed, and what is sent to its upstream. */
  readonly heads: HeadOptions;
  /** Sockets of another process that this worker takes over, in place of one of its own. Descriptors. */
  readonly inherited?: readonly number[];
}

export interface AccessLogOptions {
  /** Text with nginx's variables in it. */
  readonly format: string;
  readonly escape: AccessLogEscape;
}

/** What a worker is told once, at its start. */
export interface WorkerOptions {
  /** From 0. */
  readonly index: number;
  readonly counters: SharedArrayBuffer;
  readonly loads: WorkerMemory;
  /** What the limits of listeners go by. */
  readonly admissions: WorkerMemory;
  /** What plugins count sessions by. */
  readonly sessionCounts: WorkerMemory;
  /** How sessions that wait for a node learn that one was left. */
  readonly waiting: WorkerMemory;
  /** Where it writes down what it has in effect. */
  readonly progress: WorkerMemory;
  /** Listeners share their port with those of other workers. */
  readonly reusePort: boolean;
  readonly relay: 'auto' | 'socket';
  readonly halfClose: boolean;
  /** UDP sessions at a time. */
  readonly udpSessions: number;
  /** The name of TLS clients that send none; absent: they are refused. */
  readonly fallbackServerName?: string;
  /** The authorities whose servers plugins believe, PEM; absent: those that Node brings. */
  readonly caFile?: string;
  /** For session tickets: 48 bytes each, the first for new ones. */
  readonly ticketKeys: readonly Uint8Array[];
  /** Absent: sessions leave no line. */
  readonly accessLog?: AccessLogOptions;
  /** What sessions are counted by too. Default: nothing. */
  readonly tallyVariables?: TallyVariables;
  /** Absent: sessions are not traced. */
  readonly tracing?: TracingOptions;
}

/** A node of an upstream, as the main thread knows it. */
export interface NodeIdentity {
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

/** What a worker reports. */
export interface WorkerEvents {
  /** Routes that came to overlap. */
  onOverlaps(overlaps: readonly Overlap[]): void;
  onLog(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
  /** A session could not reach a node, or lost it. */
  onNodeFailure(upstreamKey: string, node: NodeIdentity): void;
  /** Lines for the access log, whole ones. */
  onAccess(lines: string): void;
  /** Sessions that ended and that it has not told of before. */
  onTally(tally: SessionTally): void;
  /** It ended without being asked to. Its sessions are gone. */
  onDied(error: GatewayError): void;
}

/** The main thread's end of a worker, which is another thread or, with no threads, an object beside it. */
export interface WorkerLink {
  readonly index: number;
  /** Changes in order. With the last part of them the worker has the revision in effect, and writes that down. */
  apply(revision: Revision, changes: readonly FactChange[], isLastPart: boolean): void;
  /** Settles when the worker has taken all that was sent before, or is gone. */
  settled(): Promise<void>;
  /**
   * Makes these the listeners: opens those that are new, closes those that are missing, once they have accepted who is there,
   * and leaves the others alone.
   * @returns settles when they are open. Rejects with `LISTENER_*` of the first that cannot be; the others are open.
   */
  listen(listeners: readonly ListenerSpec[]): Promise<void>;
  /** Closes its listeners, whose sockets another process goes on with. Settles when they are closed. */
  handOver(): Promise<void>;
  /** Replaces the keys of session tickets: the first for new ones, the others to read old ones. */
  setTicketKeys(keys: readonly Uint8Array[]): void;
  /** Lets these get no new sessions, instead of those before, and closes the sessions that they have, if they say so. */
  setDrains(drains: readonly Drain[]): void;
  /** Closes the sessions to a node that became unhealthy; those that begin later are not meant. */
  closeSessionsOf(upstreamKey: string, node: NodeIdentity): void;
  /** Asks the worker something. Rejects with `WORKER_DIED`. */
  ask<N extends QuestionName>(name: N, question: QuestionOf<N>): Promise<AnswerTo<N>>;
  /** Stops listening, and settles when the last session has ended; those left after `graceMs` are cut. 0 waits for ever. */
  drain(graceMs: number): Promise<void>;
  /** Cuts everything and ends. Idempotent. */
  stop(): Promise<void>;
}
