import { DocumentSet, parseDurationMs, resourceKinds } from '@apisix-ts/config';
import type {
  CheckContext,
  DocumentBatch,
  DocumentChange,
  DocumentView,
  Revision,
  Settings,
} from '@apisix-ts/config';
import type { StreamPlugin } from '@apisix-ts/core';
import { SecretWatcher } from '@apisix-ts/secrets';
import { systemClock } from '@apisix-ts/transport';
import { collectAfterLoad } from './collect-garbage.ts';
import { ConfigurationSource } from './configuration/configuration-source.ts';
import type { ConnectionExplanation, ConnectionQuestion } from './data-plane/explain-connection.ts';
import { isNode } from './data-plane/session-filter.ts';
import { Drains, isDrainable } from './drains.ts';
import { CertificateDates } from './facts/certificate-dates.ts';
import { FactCompiler } from './facts/compiler.ts';
import type { FactCompilerOptions, HealthWatch } from './facts/compiler.ts';
import { unresolvedNames } from './facts/name-users.ts';
import { nodeName, nodeOfName } from './facts/node-slots.ts';
import { unreadSecrets } from './facts/secret-users.ts';
import type { Gateway, GatewayHeritage, GatewayOptions, GatewayStatus } from './gateway-contract.ts';
import {
  changedForRestart,
  judgeOf,
  keyringOf,
  retryDelaysMs,
  secretOptions,
  workerSettings,
} from './gateway-settings.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import type { NodeHealth } from './health/checked-upstream.ts';
import { Listening } from './listening.ts';
import type { Log } from './log.ts';
import { GatewayMeter } from './metrics/gateway-meter.ts';
import type { GatewayCounts } from './metrics/gateway-meter.ts';
import { EnabledPlugins, unknownPlugins } from './plugins/enabled-plugins.ts';
import { checkPluginChange, dependsOnPlugins } from './plugins/check-plugin-change.ts';
import { followNames } from './names.ts';
import type { Names } from './names.ts';
import { Publisher } from './publisher.ts';
import { createSessions } from './sessions.ts';
import type { GatewaySessions } from './sessions.ts';
import { SharedAdmissions } from './shared-admissions.ts';
import { SharedCounters } from './shared-counters.ts';
import { SharedNodeLoads } from './shared-node-loads.ts';
import { SharedProgress } from './shared-progress.ts';
import { SharedSessionCounts } from './shared-session-counts.ts';
import { SharedWaiting } from './shared-waiting.ts';
import { TicketKeys } from './ticket-keys.ts';
import { sharesPorts, threadCount, workerRoom } from './worker-count.ts';
import { WorkerPool } from './worker-pool.ts';

/** @param settings from `readSettings` or `settingsFrom`. */
export function createGateway(settings: Settings, options: GatewayOptions): Gateway {
  return new RunningGateway(settings, options);
}

class RunningGateway implements Gateway {
  /** As it started; a reload changes only some of them. */
  readonly #started: Settings;
  #settings: Settings;
  readonly #log: Log;
  readonly #source: ConfigurationSource;
  readonly #documents: DocumentSet;
  readonly #plugins: EnabledPlugins;
  readonly #names: Names;
  readonly #secrets: SecretWatcher;
  readonly #compiler: FactCompiler;
  readonly #publisher: Publisher;
  readonly #counters: SharedCounters;
  readonly #loads: SharedNodeLoads;
  readonly #waiting: SharedWaiting;
  readonly #health: HealthMonitor;
  readonly #certificates: CertificateDates;
  #certificateCheck: NodeJS.Timeout | undefined;
  readonly #ticketKeys: TicketKeys;
  readonly #pool: WorkerPool;
  readonly sessions: GatewaySessions;
  readonly drains: Drains;
  readonly #listening: Listening;
  /** Changes take effect elsewhere from then on. */
  readonly #handedOver = Promise.withResolvers<void>();
  readonly #meter: GatewayMeter;
  #phase: GatewayStatus['phase'] = 'starting';
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, options: GatewayOptions) {
    const { store, snapshot, inherited, lookup, env = process.env, log = () => {} } = options;
    const { writeAccess, workerProgram } = options;
    this.#started = settings;
    this.#settings = settings;
    this.#log = log;
    this.#plugins = new EnabledPlugins(settings.stream_plugins);
    this.#documents = new DocumentSet(resourceKinds, judgeOf(settings, this.checkContext), {
      keepsText: snapshot !== undefined,
    });
    this.#source = new ConfigurationSource({
      store,
      ...(snapshot === undefined ? {} : { snapshot }),
      documents: this.#documents,
      publish: (batch) => this.#publish(batch),
      startupTries: settings.deployment.etcd.startup_retry,
      retryDelaysMs: retryDelaysMs(settings),
      log,
    });
    this.#names = followNames(settings, {
      lookup,
      onChange: (kind, name) => this.#publisher.publishName(kind, name),
      log,
    });
    this.#secrets = new SecretWatcher({
      ...secretOptions(settings),
      env,
      clock: systemClock,
      onChange: (references) => this.#publisher.publishSecrets(references),
    });
    this.#ticketKeys = new TicketKeys(inherited?.ticketKeys);
    const threads = threadCount(settings);
    const room = workerRoom(settings);
    this.#counters = new SharedCounters(room);
    this.#loads = new SharedNodeLoads(room);
    this.#waiting = new SharedWaiting(room);
    const admissions = new SharedAdmissions(room);
    const sessionCounts = new SharedSessionCounts(room);
    this.#health = new HealthMonitor({
      log,
      onChange: (upstreamKey, { host, address, port }, isHealthy) => {
        this.#meter.countHealthChange(isHealthy);
        this.#loads.setHealthy(nodeName(upstreamKey, host, address, port), isHealthy);
        this.#waiting.tell();
      },
      onCloseSessions: (upstreamKey, node) => this.#pool.closeSessionsOf(upstreamKey, node),
    });
    this.#certificates = new CertificateDates(log, Date.now);
    this.#compiler = new FactCompiler({
      names: this.#namesFor(settings),
      onLateName: (kind, name) => this.#publisher.publishName(kind, name),
      secrets: settings.deployment.role === 'control_plane' ? unreadSecrets : this.#secrets,
      slots: this.#loads,
      health: this.#watch(settings),
      certificates: this.#certificates,
      keyring: keyringOf(settings),
      plugins: this.#plugins.byName,
      log,
    });
    const progress = new SharedProgress(room);
    this.#publisher = new Publisher(this.#compiler, progress, log);
    this.#pool = new WorkerPool({
      threads,
      program: workerProgram,
      room,
      reusePort: sharesPorts(settings),
      worker: {
        counters: this.#counters.memory,
        loads: this.#loads.shared,
        admissions: admissions.shared,
        sessionCounts: sessionCounts.shared,
        waiting: this.#waiting.shared,
        progress: progress.shared,
        ticketKeys: this.#ticketKeys.keys,
        ...workerSettings(settings, writeAccess !== undefined),
      },
      publisher: this.#publisher,
      documents: () => allDocuments(this.#documents),
      onNodeFailure: (upstreamKey, node) => this.#health.reportPassive(upstreamKey, node, 'tcp_failure'),
      writeAccess: writeAccess ?? (() => {}),
      onTally: (tally) => this.#meter.add(tally),
      onLost: (worker) => {
        this.#loads.closeSessionsOf(worker);
        admissions.closeSessionsOf(worker);
        sessionCounts.closeSessionsOf(worker);
        this.#waiting.closeSessionsOf(worker);
        this.#waiting.tell();
      },
      log,
    });
    this.#listening = new Listening({
      pool: this.#pool,
      inherited: inherited?.sockets ?? new Map(),
      drained: () => this.drains.listeners,
    });
    this.#meter = new GatewayMeter({
      counters: this.#counters,
      waiting: this.#waiting,
      pool: this.#pool,
      slots: this.#listening.slots,
      sharedMemory: () => {
        const { size: listeners } = this.#listening.slots;
        return [this.#counters.use(listeners), admissions.use(listeners), this.#loads.use, sessionCounts.use];
      },
      settings,
    });
    this.sessions = createSessions(this.#pool, log);
    this.drains = new Drains({
      former: inherited?.drains ?? [],
      sessions: this.sessions,
      publish: (drains) => this.#pool.setDrains(drains),
      isKnown: (target) =>
        isDrainable(target, {
          hasListener: (name) => this.#listening.has(name),
          hasResource: (segment, id) => this.#documents.get(segment, id) !== undefined,
          hasNode: (name) => this.#loads.some((each) => isNode(name, nodeOfName(each))),
        }),
      listen: () => this.#listening.renew(),
      log,
    });
  }

  get documents(): DocumentView {
    return this.#documents;
  }

  get checkContext(): CheckContext {
    return this.#plugins.checkContext;
  }

  get plugins(): ReadonlyMap<string, StreamPlugin> {
    return this.#plugins.byName;
  }

  async start(): Promise<void> {
    this.#tellOfUnknownPlugins(this.#settings.stream_plugins);
    try {
      // Before the load: a worker that comes later has everything compiled for it once more.
      await this.#pool.start();
      await this.#source.start();
      await this.#publisher.whenSent();
      // While the workers do the same. Without them, this thread is somebody else's too.
      if (this.#pool.threads > 0) collectAfterLoad();
      await this.#publisher.whenApplied(this.#documents.revision);
      await this.#listening.become(this.#listening.plan(this.#settings));
      this.#phase = 'serving';
      this.#ticketKeys.rotate((keys) => this.#pool.setTicketKeys(keys));
      this.#certificateCheck = setInterval(() => this.#certificates.check(), CERTIFICATE_CHECK_MS).unref();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async reload(settings: Settings): Promise<readonly string[]> {
    const plan = this.#listening.plan(settings);
    const threads = threadCount(settings);
    // Before anything changes.
    checkPluginChange(settings, this.#plugins, this.#documents);
    await this.#pool.grow(threads);
    await this.#listening.become(plan);
    await this.#enablePlugins(settings.stream_plugins);
    this.#settings = settings;
    const paths = changedForRestart(this.#started, settings);
    return threads === this.#pool.threads ? paths : ['nginx_config.worker_processes', ...paths];
  }

  async reloadPlugins(settings: Pick<Settings, 'stream_plugins'>): Promise<void> {
    checkPluginChange(settings, this.#plugins, this.#documents);
    this.#settings = { ...this.#settings, stream_plugins: settings.stream_plugins };
    await this.#enablePlugins(settings.stream_plugins);
  }

  whenApplied(revision: Revision, signal?: AbortSignal): Promise<void> {
    return Promise.race([this.#publisher.whenApplied(revision, signal), this.#handedOver.promise]);
  }

  status(): GatewayStatus {
    const { snapshot } = this.#source;
    const { appliedAtMs } = this.#publisher;
    const health = this.#health;
    return {
      phase: this.#phase,
      store: this.#source.store,
      ...(snapshot === undefined ? {} : { snapshot }),
      revision: this.#documents.revision,
      previousRevision: this.#documents.previousRevision,
      workers: this.#publisher.revisions,
      ...(appliedAtMs === undefined ? {} : { appliedAtMs }),
      workerCount: Math.max(this.#pool.threads, 1),
      listeners: this.#listening.open.map(({ protocol, host, port }) => ({ protocol, host, port })),
      rejections: this.#documents.rejections,
      faults: this.#compiler.faults,
      certificates: this.#certificates.lives,
      // Most who ask have no use for it.
      get health() {
        return health.status();
      },
    };
  }

  checkedNodes(): Iterable<readonly [upstreamKey: string, node: NodeHealth]> {
    return this.#health.nodes();
  }

  counts(): GatewayCounts {
    return this.#meter.counts();
  }

  refreshCounts(): Promise<void> {
    return this.#meter.refresh();
  }

  explain(question: ConnectionQuestion): Promise<ConnectionExplanation> {
    return this.#pool.ask('explain', { ...question, shutListeners: this.#listening.shut });
  }

  async heritage(): Promise<GatewayHeritage> {
    const sockets = await this.#listening.sockets();
    return { sockets, drains: this.drains.current, ticketKeys: this.#ticketKeys.keys };
  }

  async handOver(): Promise<void> {
    this.#end();
    await this.#pool.handOver();
    await this.#source.close();
    this.#handedOver.resolve();
  }

  async quit(): Promise<void> {
    this.#end();
    await this.#pool.drain(parseDurationMs(this.#settings.nginx_config.worker_shutdown_timeout));
    await this.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #end(): void {
    this.#phase = 'ending';
    this.#listening.end();
  }

  async #close(): Promise<void> {
    this.#end();
    this.#names.close();
    this.#secrets.close();
    this.#health.close();
    this.#meter.close();
    this.#ticketKeys.close();
    clearInterval(this.#certificateCheck);
    await Promise.all([this.#source.close(), this.#pool.stop()]);
  }

  /** One without traffic has no use for addresses, but knows which discoveries there are. */
  #namesFor({ deployment }: Settings): FactCompilerOptions['names'] {
    if (deployment.role !== 'control_plane') return this.#names;
    return { hosts: unresolvedNames, services: this.#names.services && unresolvedNames };
  }

  /** Checks can be switched off for the whole gateway; one without traffic has no use for them. */
  #watch({ apisix, deployment }: Settings): HealthWatch {
    const isOff = apisix.disable_upstream_healthcheck || deployment.role === 'control_plane';
    return isOff ? { follow() {}, unfollow() {} } : this.#health;
  }

  /** Settles when the list is in effect in every worker. */
  async #enablePlugins(names: readonly string[]): Promise<void> {
    const former = [...this.#plugins.byName.keys()];
    this.#plugins.set(names);
    const present = [...this.#plugins.byName.keys()];
    this.#tellOfUnknownPlugins(names);
    if (former.join() === present.join()) return;
    this.#publish(this.#documents.judgeAgain(dependsOnPlugins));
    await this.#publisher.whenTaken();
  }

  #tellOfUnknownPlugins(names: readonly string[]): void {
    for (const name of unknownPlugins(names)) {
      this.#log('warn', 'stream_plugins names a plugin that does not exist', { plugin: name });
    }
  }

  #publish(batch: DocumentBatch): void {
    for (const { kind, id, message, hasPredecessor } of batch.rejections) {
      this.#log('error', 'a stored resource is invalid', {
        code: 'RESOURCE_INVALID',
        resource: `${kind}/${id}`,
        reason: message,
        serving: hasPredecessor ? 'its last valid version' : 'nothing',
      });
    }
    this.#publisher.publish(batch);
  }
}

/** How often the dates of certificates are looked at. Milliseconds. */
const CERTIFICATE_CHECK_MS = 60 * 60 * 1000;

function allDocuments(documents: DocumentSet): readonly DocumentChange[] {
  return resourceKinds.flatMap(({ segment }) =>
    [...documents.entries(segment)].map(([id, document]) => ({ kind: segment, id, document })),
  );
}
