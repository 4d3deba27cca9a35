import { performance } from 'node:perf_hooks';
import type { Revision } from '@apisix-ts/config';
import { TimerWheel } from '@apisix-ts/core';
import { chooseDriver, createSocketDriver, systemClock } from '@apisix-ts/transport';
import { compileAccessLog } from '../access-log/format.ts';
import { LineBatch } from '../access-log/line-batch.ts';
import type { FactChange } from '../facts/facts.ts';
import type { Log } from '../log.ts';
import { SessionTallies } from '../metrics/session-tallies.ts';
import type { SessionTally } from '../metrics/session-tallies.ts';
import { ActivityMonitor } from '../metrics/thread-activity.ts';
import { Admission } from '../shared-admissions.ts';
import { WorkerCounters } from '../shared-counters.ts';
import { WorkerNodeLoads } from '../shared-node-loads.ts';
import { WorkerProgress } from '../shared-progress.ts';
import { WorkerSessionCounts } from '../shared-session-counts.ts';
import { WorkerWaiting } from '../shared-waiting.ts';
import type { Drain } from '../workers/drain.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { Answerers } from '../workers/questions.ts';
import type { ListenerSpec, NodeIdentity, WorkerOptions } from '../workers/worker-link.ts';
import type { Gate } from './arrival.ts';
import { countProgress } from './count-progress.ts';
import { DatagramPlane } from './datagram-plane.ts';
import { DrainPacing } from './drain-pacing.ts';
import { explainConnection } from './explain-connection.ts';
import { FailureLog } from './failure-log.ts';
import { compileHeads } from './head-reader.ts';
import type { OpenSession } from './open-session.ts';
import { openSockets } from './listener-sockets.ts';
import type { ListenerSockets } from './listener-sockets.ts';
import { PacedClosing } from './paced-closing.ts';
import { PluginTable } from './plugin-table.ts';
import { RoutingTable } from './routing-table.ts';
import type { Overlap } from './routing-table.ts';
import { SessionCloser } from './session-closer.ts';
import type { SessionContext, SessionListener } from './session-context.ts';
import type { FilterContext } from './session-filter.ts';
import { closeSessions, listSessions } from './session-list.ts';
import type { OpenSessions } from './session-list.ts';
import { WaitingRoom } from './waiting-room.ts';
import { StreamSession } from './stream-session.ts';
import { TlsAcceptors } from './tls-acceptors.ts';

/** What a data plane tells its surroundings. */
export interface DataPlaneEvents {
  readonly onLog: Log;
  readonly onNodeFailure: (upstreamKey: string, node: NodeIdentity) => void;
  /** Lines for the access log, whole ones. */
  readonly onAccess: (lines: string) => void;
  /** Sessions that ended and were not told of before. */
  readonly onTally: (tally: SessionTally) => void;
}

interface OpenListener extends SessionListener {
  readonly sockets: ListenerSockets;
  spec: ListenerSpec;
  gate: Gate;
}

/** The part of a gateway that touches traffic: one a worker, with listeners, routes and sessions of its own. */
export class DataPlane {
  readonly #options: WorkerOptions;
  readonly #events: DataPlaneEvents;
  readonly #log: Log;
  readonly #accessLines: LineBatch;
  readonly #table: RoutingTable;
  readonly #progress: WorkerProgress;
  readonly #plugins: PluginTable;
  /** Of the change that is arriving. */
  #parts: (readonly FactChange[])[] = [];
  /** Of either protocol, open or opening. */
  #hasListeners = false;
  readonly #open = new Set<OpenSession>();
  readonly #listeners = new Map<string, OpenListener>();
  /** On their way to being closed. */
  readonly #retiring = new Set<ListenerSockets>();
  /** By slot, also of listeners that are closed: sessions outlive them. */
  readonly #admissions = new Map<number, Admission>();
  readonly #context: Promise<SessionContext>;
  #onIdle: (() => void)[] = [];
  readonly #wheel = new TimerWheel(systemClock);
  readonly #datagrams: DatagramPlane;
  readonly #closer: SessionCloser;
  readonly #pacing: DrainPacing;
  readonly #room: WaitingRoom;
  readonly #acceptors: TlsAcceptors;
  readonly #tallies: SessionTallies;
  #isClosed = false;
  readonly #activity = new ActivityMonitor();
  /** What it can be asked. */
  readonly answers: Answerers = {
    explain: (question) =>
      explainConnection(question, {
        listeners: this.#openListeners(),
        table: this.#table,
        fallbackServerName: this.#options.fallbackServerName,
      }),
    counts: async () => {
      await countProgress(this.#open, this.#datagrams.open);
      return { tally: this.#tallies.take(), activity: this.#activity.read() };
    },
    sessions: (query) => listSessions(this.#sessions, query, this.#filterContext),
    sockets: async () =>
      new Map(Array.from(this.#listeners, ([name, { sockets }]) => [name, sockets.descriptors])),
    closeSessions: (filter) => closeSessions(this.#sessions, filter, this.#filterContext),
  };

  constructor(options: WorkerOptions, events: DataPlaneEvents) {
    this.#options = options;
    this.#accessLines = new LineBatch((lines) => events.onAccess(lines));
    this.#events = events;
    this.#log = events.onLog;
    this.#tallies = new SessionTallies(() => events.onTally(this.#tallies.take()), options.tallyVariables);
    const loads = new WorkerNodeLoads(
      options.loads,
      options.index,
      () => performance.timeOrigin + performance.now(),
    );
    this.#plugins = new PluginTable({
      counts: new WorkerSessionCounts(options.sessionCounts, options.index),
      wheel: this.#wheel,
      caFile: options.caFile,
      log: this.#log,
    });
    this.#table = new RoutingTable(loads, this.#plugins);
    this.#progress = new WorkerProgress(options.progress, options.index);
    this.#acceptors = new TlsAcceptors(this.#table.certificates, this.#wheel, options);
    this.#datagrams = new DatagramPlane({
      index: options.index,
      reusePort: options.reusePort,
      sessions: options.udpSessions,
      wheel: this.#wheel,
      log: this.#log,
      onIdle: () => this.#onSessionEnded(),
    });
    this.#pacing = new DrainPacing({
      open: this.#sessions,
      wheel: this.#wheel,
      context: this.#filterContext,
      random: Math.random,
    });
    this.#closer = new SessionCloser(this.#open, this.#datagrams.open);
    this.#room = new WaitingRoom(this.#wheel, new WorkerWaiting(options.waiting, options.index));
    this.#context = this.#prepare();
    // Whoever listens is told why that cannot be.
    this.#context.catch(() => {});
  }

  /**
   * Takes a part of a change. With the last one the whole takes effect, between two connections: none meets half of it.
   * @param revision of the store, which is in effect then.
   * @returns with the last part, routes that came to overlap.
   */
  apply(revision: Revision, part: readonly FactChange[], isLastPart: boolean): readonly Overlap[] {
    const overlaps = this.#take(part, isLastPart);
    if (isLastPart) this.#progress.set(revision);
    return overlaps;
  }

  #take(part: readonly FactChange[], isLastPart: boolean): readonly Overlap[] {
    // A first load is large, and nobody can meet the half of it before there are listeners.
    if (!this.#hasListeners && this.#parts.length === 0) {
      this.#table.apply(part);
      return isLastPart ? this.#table.takeOverlaps() : [];
    }
    this.#parts.push(part);
    if (!isLastPart) return [];
    const changes = this.#parts.flat();
    this.#parts = [];
    this.#table.apply(changes);
    this.#room.dismissAllBut((upstream) => this.#table.isCurrent(upstream));
    this.#room.look();
    return this.#table.takeOverlaps();
  }

  /** Closes the sessions to a node that is unhealthy, some of them in later turns. */
  closeSessionsOf(upstreamKey: string, node: NodeIdentity): void {
    this.#closer.closeSessionsOf(upstreamKey, node);
  }

  /** Lets these get no new sessions, instead of those before, and closes the sessions that they have, if they say so. */
  setDrains(drains: readonly Drain[]): void {
    this.#table.setDrains(drains);
    this.#pacing.set(drains);
    this.#room.look();
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#acceptors.setTicketKeys(keys);
  }

  /** Makes these the listeners. Rejects with the first `LISTENER_*` error; the others are open then. */
  async listen(specs: readonly ListenerSpec[]): Promise<void> {
    const context = await this.#context;
    this.#hasListeners = specs.length > 0;
    const wanted = new Set(specs.map((spec) => spec.name));
    this.#datagrams.keepOnly(specs.filter(({ protocol }) => protocol === 'udp'));
    await this.#retire((name) => !wanted.has(name));
    const outcomes = await Promise.allSettled(specs.map((spec) => this.#openOrUpdate(spec, context)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Another process has the sockets and goes on with them, and with those who wait there. */
  handOver(): void {
    this.#hasListeners = false;
    this.#closeListeners();
    this.#datagrams.keepOnly([]);
  }

  /**
   * Stops listening and settles when the last session has ended. Those that are idle are closed evenly over `graceMs`, and what
   * is left then is cut. 0 waits for ever.
   */
  async drain(graceMs: number): Promise<void> {
    await this.#retire(() => true);
    this.#datagrams.drain();
    if (!this.#isIdle()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle.push(resolve);
      const timer = graceMs > 0 ? setTimeout(() => this.#cut(), graceMs) : undefined;
      const pacing = graceMs > 0 ? this.#closeIdle(graceMs) : undefined;
      await promise;
      clearTimeout(timer);
      pacing?.cancel();
    }
    this.#datagrams.closeListeners();
  }

  /** Cuts every session, and settles when they have ended. Idempotent. */
  async close(): Promise<void> {
    this.#closeListeners();
    this.#cut();
    await this.drain(0);
    this.#accessLines.flush();
    this.#events.onTally(this.#tallies.take());
    this.#activity.close();
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#plugins.close();
    const context = await this.#context.catch(() => undefined);
    await context?.tracing?.close();
  }

  async #prepare(): Promise<SessionContext> {
    const { relay: choice, halfClose, counters } = this.#options;
    const wheel = this.#wheel;
    const { driver, fallbackReason } = await chooseDriver(choice, wheel);
    if (fallbackReason !== undefined) {
      this.#log('warn', 'relaying on public sockets, which costs more', { reason: fallbackReason });
    }
    const workerCounters = new WorkerCounters(counters, this.#options.index);
    workerCounters.closeInherited();
    return {
      driver,
      table: this.#table,
      counters: workerCounters,
      tallies: this.#tallies,
      log: this.#log,
      failures: new FailureLog(this.#log, () => performance.now()),
      relay: { wheel, halfClose },
      room: this.#room,
      onNodeFailure: this.#events.onNodeFailure,
      accessLog: this.#openAccessLog(),
      tracing: await this.#openTracing(),
      nowMs: () => performance.now(),
      random: Math.random,
      onOpened: (session) => void this.#open.add(session),
      onEnded: (session) => {
        this.#open.delete(session);
        this.#onSessionEnded();
      },
    };
  }

  /** What it needs is loaded only where it is wanted. */
  async #openTracing(): Promise<Tracing | undefined> {
    const { tracing } = this.#options;
    if (tracing === undefined) return undefined;
    const { openTracing } = await import('../tracing/tracing.ts');
    return openTracing(tracing, Math.random);
  }

  #openAccessLog(): SessionContext['accessLog'] {
    const { accessLog } = this.#options;
    if (accessLog === undefined) return undefined;
    const toLine = compileAccessLog(accessLog.format, accessLog.escape);
    return (record) => this.#accessLines.add(toLine(record));
  }

  /** Limits, TLS and what is read from clients may change while a listener is open: it holds for the next one. */
  async #openOrUpdate(spec: ListenerSpec, context: SessionContext): Promise<void> {
    if (spec.protocol === 'udp') {
      this.#datagrams.listen(spec, context);
      return;
    }
    const { name, host, port } = spec;
    const admission = this.#admissionOf(spec, context);
    const known = this.#listeners.get(name);
    const tls = spec.tls && this.#acceptors.get(spec.tls);
    const gate = { heads: compileHeads(spec.heads), tls };
    if (known !== undefined) {
      known.spec = spec;
      known.gate = gate;
      known.sockets.useSockets(tls !== undefined);
      return;
    }
    const listener = { spec, gate, admission };
    // TLS is spoken on public sockets; a listener that begins with it accepts them in the public way.
    const driver = tls === undefined ? context.driver : createSocketDriver(this.#wheel);
    const sockets = await openSockets(
      driver,
      spec.inherited ?? [],
      { host, port, reusePort: this.#options.reusePort, ipv6Only: host.includes(':') },
      {
        onWire: (wire) => new StreamSession(wire, listener, context).start(),
        onAcceptError: (error) => {
          this.#log('error', 'connections cannot be accepted', { listener: name, reason: error.message });
        },
      },
    );
    this.#listeners.set(name, Object.assign(listener, { sockets }));
  }

  #admissionOf({ slot, limits }: ListenerSpec, { counters }: SessionContext): Admission {
    const { admissions, index } = this.#options;
    const admission = this.#admissions.get(slot) ?? new Admission(admissions, slot, index);
    this.#admissions.set(slot, admission);
    admission.update(limits, counters.openSessions(slot));
    return admission;
  }

  #openListeners(): readonly ListenerSpec[] {
    return [...Array.from(this.#listeners.values(), ({ spec }) => spec), ...this.#datagrams.listeners];
  }

  get #sessions(): OpenSessions {
    return [this.#open, this.#datagrams.open];
  }

  get #filterContext(): FilterContext {
    return { worker: this.#options.index, nowMs: () => performance.now() };
  }

  #isIdle(): boolean {
    return this.#open.size === 0 && this.#datagrams.open.size === 0;
  }

  #onSessionEnded(): void {
    if (this.#isIdle()) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** UDP sessions end when they are silent. */
  #closeIdle(windowMs: number): PacedClosing {
    return new PacedClosing([this.#open], this.#wheel, {
      windowMs,
      isMeant: () => true,
      close: (session) => session.finish('SESSION_CLOSED_BY_SHUTDOWN'),
      sparesBusy: true,
      random: Math.random,
    });
  }

  /** Closes listeners for connections, after they have accepted who is there. */
  async #retire(isMeant: (name: string) => boolean): Promise<void> {
    const meant = [...this.#listeners].filter(([name]) => isMeant(name));
    const retiring = meant.map(async ([name, { sockets }]) => {
      this.#listeners.delete(name);
      this.#retiring.add(sockets);
      await sockets.retire();
      this.#retiring.delete(sockets);
    });
    await Promise.all(retiring);
  }

  /** Those of connections, at once. */
  #closeListeners(): void {
    for (const { sockets } of this.#listeners.values()) sockets.close();
    for (const sockets of this.#retiring) sockets.close();
    this.#listeners.clear();
  }

  #cut(): void {
    for (const session of this.#open) session.close('SESSION_CLOSED_BY_SHUTDOWN');
    this.#datagrams.cut();
  }
}
