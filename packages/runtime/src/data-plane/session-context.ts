import type { RelayOptions } from '@apisix-ts/core';
import type { WireDriver } from '@apisix-ts/transport';
import type { VariableSource } from '../variables/variable-source.ts';
import type { Admission } from '../shared-admissions.ts';
import type { Log } from '../log.ts';
import type { SessionTallies } from '../metrics/session-tallies.ts';
import type { WorkerCounters } from '../shared-counters.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { ListenerSpec, NodeIdentity } from '../workers/worker-link.ts';
import type { Gate } from './arrival.ts';
import type { FailureLog } from './failure-log.ts';
import type { RoutingTable } from './routing-table.ts';
import type { OpenSession } from './open-session.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What the sessions of a worker share. */
export interface SessionContext {
  readonly driver: WireDriver;
  readonly table: RoutingTable;
  readonly counters: WorkerCounters;
  readonly tallies: SessionTallies;
  readonly failures: FailureLog;
  readonly log: Log;
  /** Where sessions wait for a node. */
  readonly room: WaitingRoom;
  readonly relay: Pick<RelayOptions, 'wheel' | 'halfClose'>;
  readonly onNodeFailure: (upstreamKey: string, node: NodeIdentity) => void;
  /** Takes every session that has ended; undefined when nobody wants to know. */
  readonly accessLog: ((session: VariableSource) => void) | undefined;
  /** Undefined: sessions are not traced. */
  readonly tracing: Tracing | undefined;
  readonly nowMs: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly onOpened: (session: OpenSession) => void;
  readonly onEnded: (session: OpenSession) => void;
}

/** The listener that a session came by. */
export interface SessionListener {
  readonly spec: ListenerSpec;
  readonly admission: Admission;
  /** A reload puts another one in its place, for the next connections. */
  readonly gate: Gate;
}
