import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { lookup as lookUpHost } from 'node:dns/promises';
import { isIP } from 'node:net';
import { resolve as resolvePath } from 'node:path';
import { DocumentSet, checkResource, checkWritten, parseDurationMs, resourceKinds } from '@apisix-ts/config';
import type {
  CheckContext,
  CheckStored,
  DocumentBatch,
  DocumentChange,
  DocumentView,
  FollowState,
  Rejection,
  Revision,
  Settings,
  Store,
} from '@apisix-ts/config';
import type { Lookup } from '@apisix-ts/discovery';
import { listenError } from '@apisix-ts/errors';
import { SecretWatcher } from '@apisix-ts/secrets';
import { probeDatagramPort, probePort, systemClock } from '@apisix-ts/transport';
import { checkContext } from './check-context.ts';
import { collectAfterLoad } from './collect-garbage.ts';
import { ConfigurationSource } from './configuration/configuration-source.ts';
import type { SnapshotOptions, SnapshotStatus } from './configuration/configuration-source.ts';
import { CertificateDates } from './facts/certificate-dates.ts';
import type { CertificateLife } from './facts/certificate-dates.ts';
import { FactCompiler } from './facts/compiler.ts';
import type { HealthWatch } from './facts/compiler.ts';
import { unreadSecrets } from './facts/secret-users.ts';
import type { Fault } from './facts/secret-users.ts';
import { nodeName, nodeOfName } from './facts/node-slots.ts';
import { HealthMonitor } from './health/health-monitor.ts';
import type { UpstreamHealth } from './health/health-monitor.ts';
import { ListenerTable } from './listeners.ts';
import type { Log } from './log.ts';
import { GatewayMeter } from './metrics/gateway-meter.ts';
import type { GatewayCounts } from './metrics/gateway-meter.ts';
import { followNames, hostOptions, serviceOptions } from './names.ts';
import type { Names } from './names.ts';
import { Publisher } from './publisher.ts';
import { SharedAdmissions } from './shared-admissions.ts';
import { SharedCounters } from './shared-counters.ts';
import { SharedNodeLoads } from './shared-node-loads.ts';
import { SharedWaiting } from './shared-waiting.ts';
import type { ConnectionExplanation, ConnectionQuestion } from './data-plane/explain-connection.ts';
import { sharesPorts, threadCount, workerRoom } from './worker-count.ts';
import { isNode, isListener } from './data-plane/session-filter.ts';
import { Drains, isDrainable } from './drains.ts';
import type { GatewayDrains } from './drains.ts';
import { createSessions } from './sessions.ts';
import type { GatewaySessions } from './sessions.ts';
import { WorkerPool } from './worker-pool.ts';
import type { ListenerSpec, WorkerOptions } from './workers/worker-link.ts';
import type { WorkerProgram } from './workers/worker-program.ts';

/** Sockets that listen, of all workers: descriptors, by the names of listeners. */
export type StreamSockets = ReadonlyMap<string, readonly number[]>;

export interface GatewayOptions {
  /** Where the resources are. It stays the caller's: `close` leaves it open. */
  readonly store: Store;
  /** Keeps the last configuration on disk, to start from while the store is away. Default: it is not kept. */
  readonly snapshot?: SnapshotOptions;
  /** Resolves node names. Default: the hosts file and DNS, as the settings say. */
  readonly lookup?: Lookup;
  /** Where `$env://` references are looked up. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: nowhere. */
  readonly log?: Log;
  /**
   * The listeners of a gateway in another process that this one follows on: their sockets for connections, which are taken
   * over or closed; of UDP none, but its port may be opened beside. Default: there is none.
   */
  readonly inherited?: StreamSockets;
  /** Takes the lines of the access log, if the settings turn it on. Default: there is none. */
  readonly writeAccess?: (lines: string) => void;
  /** What worker threads run. Default: the program of this package, found beside it; a bundle brings its own. */
  readonly workerProgram?: WorkerProgram;
}

/** What is in effect. */
export interface GatewayStatus {
  /** `serving`: the listeners are open. `ending`: they are closed again, and the last sessions may finish. */
  readonly phase: 'starting' | 'serving' | 'ending';
  readonly store: FollowState;
  /** What is kept on disk; absent when nothing is. */
  readonly snapshot?: SnapshotStatus;
  /** The last revision that came from the store. */
  readonly revision: Revision;
  /** The revision in effect in each worker, by its index. */
  readonly workers: ReadonlyMap<number, Revision>;
  /** When the last change took effect in all of them. Milliseconds since 1970; absent: there was none yet. */
  readonly appliedAtMs?: number;
  /** How many workers there are to be. */
  readonly workerCount: number;
  readonly listeners: readonly {
    readonly protocol: 'tcp' | 'udp';
    readonly host: string;
    readonly port: number;
  }[];
  /** Stored resources that cannot be used. */
  readonly rejections: readonly Rejection[];
  /** Resources in effect whose certificates cannot be had, or not in their present version. */
  readonly faults: readonly Fault[];
  /** How long the certificates in use are valid. */
  readonly certificates: readonly CertificateLife[];
  /** The upstreams under checks; `name` is the place of the upstream, or of the route or service that has it. */
  readonly health: readonly UpstreamHealth[];
}

/** Documents in, a serving gateway out. */
export interface Gateway {
  /**
   * Loads the store, starts the workers and opens the listeners, in this order: the first session finds its route.
   * Rejects with `STORE_*`, `LISTENER_*`, `WORKER_DIED` or `SETTINGS_INVALID`, and nothing is left running then.
   */
  start(): Promise<void>;
  /**
   * Takes other settings: listeners are opened and closed, workers are added, open sessions are not touched.
   * Rejects with `LISTENER_*` when one cannot be opened; then nothing changed.
   * @returns settings that differ and take effect only after a restart, as key paths.
   */
  reload(settings: Settings): Promise<readonly string[]>;
  /**
   * Settles when every worker has this revision, or a later one, in effect, or another process serves; rejects when
   * `signal` aborts before.
   */
  whenApplied(revision: Revision, signal?: AbortSignal): Promise<void>;
  readonly documents: DocumentView;
  /** What documents are checked against: the plugins and balancers there are. */
  readonly checkContext: CheckContext;
  status(): GatewayStatus;
  /** The `health` of the status, one upstream after the other: there may be thousands. */
  health(): Iterable<UpstreamHealth>;
  /** As the workers have told so far. */
  counts(): GatewayCounts;
  /** Asks the workers for what they have not told yet. Settles when it is in `counts`, or after 250 ms. */
  refreshCounts(): Promise<void>;
  /** What would become of a connection; a worker is asked. Rejects with `WORKER_DIED` when there is none. */
  explain(question: ConnectionQuestion): Promise<ConnectionExplanation>;
  /** What is open. */
  readonly sessions: GatewaySessions;
  /** What gets no new sessions. Nothing of it is kept when the gateway ends. */
  readonly drains: GatewayDrains;
  /** The sockets of its listeners, for a process that takes them over; UDP ones without. */
  sockets(): Promise<StreamSockets>;
  /**
   * Another process has the sockets and serves: stops listening, ends UDP sessions, and leaves the store. Open connections
   * go on, with what was in effect.
   */
  handOver(): Promise<void>;
  /** Stops listening, waits for the sessions up to `worker_shutdown_timeout`, then closes. */
  quit(): Promise<void>;
  /** Cuts every session and ends. Idempotent. */
  close(): Promise<void>;
}

/** @param settings from `readSettings` or `settingsFrom`. */
export function createGateway(settings: Settings, options: GatewayOptions): Gateway {
  return new RunningGateway(settings, options);
}

class RunningGateway implements Gateway {
  readonly checkContext = checkContext;

  /** As it started; a reload changes only some of them. */
  readonly #started: Settings;
  #settings: Settings;
  readonly #log: Log;
  readonly #source: ConfigurationSource;
  readonly #documents: DocumentSet;
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
  /** Of TLS session tickets, the same in all workers. */
  #ticketKeys: readonly Uint8Array[];
  #rotation: NodeJS.Timeout | undefined;
  readonly #pool: WorkerPool;
  readonly sessions: GatewaySessions;
  readonly drains: Drains;
  /** The listeners that the settings ask for, drained ones too. */
  #planned: readonly ListenerSpec[] = [];
  readonly #listeners = new ListenerTable();
  /** Changes take effect elsewhere from then on. */
  readonly #handedOver = Promise.withResolvers<void>();
  /** Until they are taken over. */
  #inherited: StreamSockets;
  readonly #meter: GatewayMeter;
  #phase: GatewayStatus['phase'] = 'starting';
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, options: GatewayOptions) {
    const { store, snapshot, inherited = new Map(), lookup, env = process.env, log = () => {} } = options;
    const { writeAccess, workerProgram } = options;
    this.#started = settings;
    this.#inherited = inherited;
    this.#settings = settings;
    this.#log = log;
    this.#documents = new DocumentSet(resourceKinds, judgeOf(settings), {
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
    const threads = threadCount(settings);
    this.#ticketKeys = [newTicketKey()];
    const room = workerRoom(settings);
    this.#counters = new SharedCounters(room);
    this.#loads = new SharedNodeLoads(room);
    this.#waiting = new SharedWaiting(room);
    const admissions = new SharedAdmissions(room);
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
      names: this.#names,
      onLateName: (kind, name) => this.#publisher.publishName(kind, name),
      secrets: settings.deployment.role === 'control_plane' ? unreadSecrets : this.#secrets,
      slots: this.#loads,
      health: this.#watch(settings),
      certificates: this.#certificates,
      keyring: keyringOf(settings),
      log,
    });
    this.#publisher = new Publisher(this.#compiler, log);
    this.#pool = new WorkerPool({
      threads,
      program: workerProgram,
      room,
      reusePort: sharesPorts(settings),
      worker: {
        counters: this.#counters.memory,
        loads: this.#loads.shared,
        admissions: admissions.shared,
        waiting: this.#waiting.shared,
        relay: settings.nginx_config.stream.relay,
        halfClose: settings.nginx_config.stream.half_close,
        udpSessions: settings.nginx_config.stream.udp_sessions,
        ticketKeys: this.#ticketKeys,
        ...fallbackName(settings),
        ...(writeAccess === undefined ? {} : accessLogOptions(settings)),
        ...tracingOptions(settings),
      },
      publisher: this.#publisher,
      documents: () => allDocuments(this.#documents),
      onNodeFailure: (upstreamKey, node) => this.#health.reportPassive(upstreamKey, node, 'tcp_failure'),
      writeAccess: writeAccess ?? (() => {}),
      onTally: (tally) => this.#meter.add(tally),
      onLost: (worker) => {
        this.#loads.closeSessionsOf(worker);
        admissions.closeSessionsOf(worker);
        this.#waiting.closeSessionsOf(worker);
        this.#waiting.tell();
      },
      log,
    });
    this.#meter = new GatewayMeter({
      counters: this.#counters,
      waiting: this.#waiting,
      pool: this.#pool,
      slots: this.#listeners.slots,
      prometheus: settings.plugin_attr.prometheus,
    });
    this.sessions = createSessions(this.#pool, log);
    this.drains = new Drains({
      sessions: this.sessions,
      publish: (drains) => this.#pool.setDrains(drains),
      isKnown: (target) =>
        isDrainable(target, {
          hasListener: (name) => this.#planned.some((spec) => isListener(name, spec)),
          hasResource: (segment, id) => this.#documents.get(segment, id) !== undefined,
          hasNode: (name) => this.#loads.some((each) => isNode(name, nodeOfName(each))),
        }),
      listen: () => this.#listen(this.#planned),
      log,
    });
  }

  get documents(): DocumentView {
    return this.#documents;
  }

  async start(): Promise<void> {
    try {
      // Before the load: a worker that comes later has everything compiled for it once more.
      await this.#pool.start();
      await this.#source.start();
      await this.#publisher.whenSent();
      // While the workers do the same. Without them, this thread is somebody else's too.
      if (this.#pool.threads > 0) collectAfterLoad();
      await this.#publisher.whenApplied(this.#documents.revision);
      await this.#listen(this.#listeners.plan(this.#settings));
      this.#phase = 'serving';
      this.#rotation = setInterval(() => this.#rotateTicketKeys(), TICKET_KEY_AGE_MS).unref();
      this.#certificateCheck = setInterval(() => this.#certificates.check(), CERTIFICATE_CHECK_MS).unref();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async reload(settings: Settings): Promise<readonly string[]> {
    const plan = this.#listeners.plan(settings);
    const threads = threadCount(settings);
    await this.#pool.grow(threads);
    await this.#listen(plan);
    const pending = restartOnly.filter(({ read }) => read(settings) !== read(this.#started));
    this.#settings = settings;
    const paths = pending.map(({ path }) => path);
    return threads === this.#pool.threads ? paths : ['nginx_config.worker_processes', ...paths];
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
      workers: this.#publisher.revisions,
      ...(appliedAtMs === undefined ? {} : { appliedAtMs }),
      workerCount: Math.max(this.#pool.threads, 1),
      listeners: this.#listeners.open.map(({ protocol, host, port }) => ({ protocol, host, port })),
      rejections: this.#documents.rejections,
      faults: this.#compiler.faults,
      certificates: this.#certificates.lives,
      // Most who ask have no use for it.
      get health() {
        return [...health.status()];
      },
    };
  }

  health(): Iterable<UpstreamHealth> {
    return this.#health.status();
  }

  counts(): GatewayCounts {
    return this.#meter.counts();
  }

  refreshCounts(): Promise<void> {
    return this.#meter.refresh();
  }

  explain(question: ConnectionQuestion): Promise<ConnectionExplanation> {
    return this.#pool.ask('explain', question);
  }

  async sockets(): Promise<StreamSockets> {
    const all = this.#listeners.open.map(({ name }) => [name, []] as const);
    return new Map([...all, ...(await this.#pool.sockets())]);
  }

  async handOver(): Promise<void> {
    this.#phase = 'ending';
    await this.#pool.listen([]);
    await this.#source.close();
    this.#handedOver.resolve();
  }

  async quit(): Promise<void> {
    this.#phase = 'ending';
    await this.#pool.drain(parseDurationMs(this.#settings.nginx_config.worker_shutdown_timeout));
    await this.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#phase = 'ending';
    this.#names.close();
    this.#secrets.close();
    this.#health.close();
    this.#meter.close();
    clearInterval(this.#rotation);
    clearInterval(this.#certificateCheck);
    await Promise.all([this.#source.close(), this.#pool.stop()]);
  }

  /** A ticket stays good until the key after its own is replaced. */
  #rotateTicketKeys(): void {
    this.#ticketKeys = [newTicketKey(), ...this.#ticketKeys.slice(0, 1)];
    this.#pool.setTicketKeys(this.#ticketKeys);
  }

  /** Checks can be switched off for the whole gateway; one without traffic has no use for them. */
  #watch({ apisix, deployment }: Settings): HealthWatch {
    const isOff = apisix.disable_upstream_healthcheck || deployment.role === 'control_plane';
    return isOff ? { follow() {}, unfollow() {} } : this.#health;
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

  /** UDP listeners stay open while they are drained, for the answers. */
  async #listen(planned: readonly ListenerSpec[]): Promise<void> {
    if (this.#phase === 'ending') return;
    const wanted = planned.filter(
      (spec) => spec.protocol === 'udp' || !this.drains.listeners.some((name) => isListener(name, spec)),
    );
    const plan = await Promise.all(wanted.map(withAddress));
    // Workers share their ports, so only an exclusive attempt finds out that another program has one.
    for (const { name, protocol, host, port } of this.#listeners.added(plan)) {
      if (this.#inherited.has(name)) continue;
      if (protocol === 'udp') probeDatagramPort(host, port);
      else await probePort(host, port);
    }
    await this.#pool.listen(plan, this.#inherited);
    this.#listeners.adopt(plan);
    this.#planned = planned;
    closeUnwanted(this.#inherited, plan);
    this.#inherited = new Map();
  }
}

/** Connections would wait there for ever. */
function closeUnwanted(inherited: StreamSockets, plan: readonly ListenerSpec[]): void {
  const wanted = new Set(plan.map(({ name }) => name));
  for (const [name, descriptors] of inherited) {
    if (!wanted.has(name)) for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** A listener's host may be a name of this machine. Rejects with `LISTENER_FAILED` when it has no address. */
async function withAddress(spec: ListenerSpec): Promise<ListenerSpec> {
  if (isIP(spec.host) !== 0) return spec;
  try {
    const { address } = await lookUpHost(spec.host);
    return { ...spec, host: address };
  } catch (error) {
    throw listenError('the stream proxy', spec.host, spec.port, error);
  }
}

/**
 * How documents are judged that come from the store. What stands in a file was written for this gateway, so a plugin
 * that does not exist is a mistake there, and not another product's.
 */
function judgeOf(settings: Settings): CheckStored {
  if (settings.deployment.rules === 'file') {
    return (kind, document) => checkWritten(kind, document, checkContext, keyringOf(settings));
  }
  const context: CheckContext = { ...checkContext, isStored: true };
  return (kind, document) => checkResource(kind, document, context);
}

/** Settings of the data plane that a running gateway cannot change. */
const restartOnly: readonly { readonly path: string; readonly read: (settings: Settings) => unknown }[] = [
  { path: 'nginx_config.stream.relay', read: (settings) => settings.nginx_config.stream.relay },
  { path: 'apisix.ssl.fallback_sni', read: (settings) => settings.apisix.ssl.fallback_sni },
  { path: 'apisix.data_encryption.keyring', read: (settings) => keyringOf(settings).join(' ') },
  { path: 'apisix.ssl.ssl_trusted_certificate', read: ({ apisix }) => apisix.ssl.ssl_trusted_certificate },
  { path: 'apisix.lru.secret', read: ({ apisix }) => JSON.stringify(apisix.lru.secret) },
  {
    path: 'nginx_config.stream.tracing',
    read: ({ nginx_config }) => JSON.stringify(nginx_config.stream.tracing),
  },
  { path: 'nginx_config.stream.half_close', read: (settings) => settings.nginx_config.stream.half_close },
  { path: 'nginx_config.stream.udp_sessions', read: (settings) => settings.nginx_config.stream.udp_sessions },
  {
    path: 'plugin_attr.prometheus.metrics',
    read: ({ plugin_attr }) => JSON.stringify(plugin_attr.prometheus.metrics),
  },
  { path: 'apisix.dns_resolver', read: (settings) => JSON.stringify(hostOptions(settings)) },
  { path: 'discovery.dns', read: (settings) => JSON.stringify(serviceOptions(settings)) },
];

/** How often the dates of certificates are looked at. Milliseconds. */
const CERTIFICATE_CHECK_MS = 60 * 60 * 1000;

/** How long a key makes new session tickets. Milliseconds. */
const TICKET_KEY_AGE_MS = 12 * 60 * 60 * 1000;

function newTicketKey(): Uint8Array {
  return randomBytes(48);
}

function fallbackName({ apisix }: Settings): Pick<WorkerOptions, 'fallbackServerName'> {
  const { fallback_sni: name } = apisix.ssl;
  return name === undefined ? {} : { fallbackServerName: name };
}

/** What opens private keys that are stored encrypted; empty where nothing is encrypted. */
export function keyringOf({ apisix }: Settings): readonly string[] {
  const keyring = apisix.data_encryption?.keyring ?? [];
  return typeof keyring === 'string' ? [keyring] : keyring;
}

/** As the reference pauses: longer each time, then always the same. */
function retryDelaysMs({ deployment: { etcd } }: Settings): readonly number[] {
  const { resync_delay: delay = -1 } = etcd;
  const lastMs = delay < 0 ? 5000 : Math.max(delay, 1) * 1000;
  return [1000, 2000, 4000, 8000, 16_000, 32_000, lastMs];
}

/** When secrets are read again, and whom to trust. */
function secretOptions({ apisix }: Settings): { ttlMs: number; retryMs: number; caFile?: string } {
  const { ttl, neg_ttl } = apisix.lru.secret;
  const { ssl_trusted_certificate: authorities } = apisix.ssl;
  return {
    ttlMs: ttl * 1000,
    retryMs: neg_ttl * 1000,
    ...(authorities === 'system' ? {} : { caFile: resolvePath(authorities) }),
  };
}

function accessLogOptions({ nginx_config: { stream } }: Settings): Pick<WorkerOptions, 'accessLog'> {
  if (!stream.enable_access_log) return {};
  return { accessLog: { format: stream.access_log_format, escape: stream.access_log_format_escape } };
}

function tracingOptions({ nginx_config: { stream } }: Settings): Pick<WorkerOptions, 'tracing'> {
  const { enable, register, sample_ratio: sampleRatio } = stream.tracing;
  if (!enable) return {};
  return { tracing: { sampleRatio, ...(register === undefined ? {} : { register: resolvePath(register) }) } };
}

function allDocuments(documents: DocumentSet): readonly DocumentChange[] {
  return resourceKinds.flatMap(({ segment }) =>
    [...documents.entries(segment)].map(([id, document]) => ({ kind: segment, id, document })),
  );
}
