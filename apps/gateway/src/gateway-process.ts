import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Endpoints } from '@apisix-ts/admin';
import { httpListeners, listenerName, readSettings } from '@apisix-ts/config';
import type { LoadedSettings, Settings, Store } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { createGateway } from '@apisix-ts/runtime';
import type { Gateway, WorkerProgram } from '@apisix-ts/runtime';
import { createAdminEndpoints } from './admin-endpoints.ts';
import { openErrorLog } from './error-log.ts';
import type { ErrorLog } from './error-log.ts';
import { openLogFile } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { keepForm, pendingSettings } from './restart-settings.ts';
import { removeRunRecord, writeRunRecord } from './run-record.ts';
import type { ReloadRecord } from './run-record.ts';
import { Services } from './service.ts';
import type { ServicePlan } from './service.ts';
import type { ServiceContext } from './service-plans.ts';
import { planServices, planStatus } from './service-plans.ts';
import { openStore, snapshotOptions } from './stores.ts';

export interface GatewayProcessOptions {
  /** Absolute path of the installation. */
  readonly home: string;
  /** Absolute path of the configuration file; default `HOME/conf/config.yaml`. */
  readonly config: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Write the error log to standard error too. */
  readonly mirrorLog: boolean;
  /** Default: the one in the files of `@apisix-ts/runtime`. */
  readonly workerProgram?: WorkerProgram | undefined;
}

/** A whole gateway: data plane, Admin API, Control API, status API, metrics, and the files that tell of it. */
export class GatewayProcess {
  readonly #options: GatewayProcessOptions;
  readonly #log: ErrorLog;
  readonly #accessLog: LogFile | undefined;
  readonly #store: Store;
  readonly #gateway: Gateway;
  readonly #adminEndpoints: Endpoints | undefined;
  readonly #services = new Services();
  readonly #started = Date.now();
  /** A reload changes only some of them. */
  readonly #startedWith: Settings;
  #loaded: LoadedSettings;
  #isAnnounced = false;
  #reloads = 0;
  #lastReload: ReloadRecord | null = null;
  #reloading: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  /** Rejects with `SETTINGS_*`, `STORE_*` or `LISTENER_*`; nothing is left open then. */
  static async start(options: GatewayProcessOptions): Promise<GatewayProcess> {
    const loaded = load(options);
    makeFolders(options.home);
    const { error_log: path, error_log_level: level } = loaded.settings.nginx_config;
    const log = openErrorLog({ path: resolve(options.home, path), level, mirror: options.mirrorLog });
    let store: Store | undefined;
    let accessLog: LogFile | undefined;
    try {
      log.log('info', `use config_provider: ${loaded.settings.deployment.config_provider}`, {});
      accessLog = openAccessLog(loaded.settings, options.home);
      store = await openStore(loaded.settings, { home: options.home, env: options.env, log: log.log });
      const snapshot = snapshotOptions(loaded.settings, options.home);
      const gateway = createGateway(loaded.settings, {
        store,
        ...(snapshot === undefined ? {} : { snapshot }),
        log: log.log,
        ...(accessLog === undefined ? {} : { writeAccess: accessLog.write }),
        ...(options.workerProgram === undefined ? {} : { workerProgram: options.workerProgram }),
      });
      const started = new GatewayProcess(options, loaded, { error: log, access: accessLog }, store, gateway);
      await started.#start();
      return started;
    } catch (error) {
      await store?.close();
      accessLog?.close();
      log.log('error', 'the gateway did not start', {
        reason: error instanceof Error ? error.message : error,
      });
      log.close();
      throw error;
    }
  }

  private constructor(
    options: GatewayProcessOptions,
    loaded: LoadedSettings,
    logs: { readonly error: ErrorLog; readonly access: LogFile | undefined },
    store: Store,
    gateway: Gateway,
  ) {
    this.#options = options;
    this.#loaded = loaded;
    this.#startedWith = loaded.settings;
    this.#log = logs.error;
    this.#accessLog = logs.access;
    this.#store = store;
    this.#gateway = gateway;
    this.#adminEndpoints = createAdminEndpoints({
      settings: loaded.settings,
      gateway,
      store,
      isStreamEnabled: () => this.settings.apisix.proxy_mode !== 'http',
      apiVersion: () => (this.settings.deployment.admin.admin_api_version === 'v3' ? 'v3' : 'v2'),
    });
  }

  get settings(): Settings {
    return this.#loaded.settings;
  }

  /** Absolute path of the configuration file. */
  get configFile(): string {
    return this.#loaded.file;
  }

  get warnings(): readonly string[] {
    return this.#loaded.warnings;
  }

  async #start(): Promise<void> {
    try {
      // First, so that whoever waits for the gateway can see that it waits for its store.
      await this.#services.become(planStatus(this.#context(this.settings)));
      await this.#gateway.start();
      await this.#services.become(this.#plans(this.settings));
    } catch (error) {
      await this.#services.close();
      await this.#gateway.close();
      throw error;
    }
    this.#log.log('notice', 'the gateway is serving', {
      role: this.settings.deployment.role,
      store: this.#store.name,
      listeners: this.#listenerNames(),
    });
  }

  /** Writes the pid file and the run record: from now on `apisix` finds this process and sends it signals. */
  announce(): void {
    writePidFile(this.#options.home);
    this.#isAnnounced = true;
    this.#writeRecord();
  }

  /**
   * Reads the configuration file again and takes over what changed; the outcome goes to the log and the run record.
   * Never rejects: a file with errors changes nothing.
   */
  reload(): Promise<void> {
    // One at a time: signals may come faster than listeners open.
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  /** Goes on in new log files, after the former ones were moved away. */
  reopenLogs(): void {
    try {
      this.#log.reopen();
      this.#accessLog?.reopen();
      this.#services.reopenLogs();
      this.#log.log('notice', 'the log files were opened again', {});
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#log.log('error', 'a log file could not be opened again', {
        code: error.code,
        reason: error.message,
      });
    }
  }

  /** Lets open sessions finish, up to `worker_shutdown_timeout`, then ends. */
  async quit(): Promise<void> {
    const listeners = [...this.#gateway.counts().listeners.values()];
    const sessions = listeners.reduce((sum, { accepted, closed }) => sum + accepted - closed, 0);
    this.#log.log('notice', 'quitting: open sessions may finish', { sessions });
    await this.#gateway.quit();
    await this.stop();
  }

  /** Cuts every session and ends, also while it quits. Settles when all is written. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#services.close();
    await this.#gateway.close();
    await this.#store.close();
    removePidFile(this.#options.home);
    removeRunRecord(this.#options.home);
    this.#log.log('notice', 'the gateway has stopped', {});
    this.#accessLog?.close();
    this.#log.close();
  }

  async #reload(): Promise<void> {
    const at = Date.now();
    try {
      const loaded = load({ ...this.#options, config: this.#loaded.file });
      const settings = keepForm(this.settings, loaded.settings);
      const pending = [
        ...(await this.#takeOver(settings)),
        ...pendingSettings(this.#startedWith, loaded.settings),
      ];
      this.#loaded = { ...loaded, settings };
      this.#lastReload = { at, ok: true, pending };
      this.#log.log('notice', 'the configuration was read again', { listeners: this.#listenerNames() });
      for (const path of pending) {
        this.#log.log('warn', 'a changed setting takes effect after a restart', { setting: path });
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#lastReload = { at, ok: false, error: error.message };
      this.#log.log('error', 'the configuration was not taken over', {
        code: error.code,
        reason: error.message,
      });
    }
    this.#reloads += 1;
    this.#writeRecord();
  }

  /** All of it or nothing. @returns settings that wait for a restart. */
  async #takeOver(settings: Settings): Promise<readonly string[]> {
    const former = this.#services.plans;
    await this.#services.become(this.#plans(settings));
    try {
      return await this.#gateway.reload(settings);
    } catch (error) {
      await this.#services.become(former);
      throw error;
    }
  }

  #plans(settings: Settings): readonly ServicePlan[] {
    return planServices(this.#context(settings));
  }

  #context(settings: Settings): ServiceContext {
    return {
      settings,
      http: httpListeners(settings),
      home: this.#options.home,
      gateway: this.#gateway,
      store: this.#store,
      adminEndpoints: this.#adminEndpoints,
      log: this.#log.log,
    };
  }

  #listenerNames(): readonly string[] {
    return this.#gateway.status().listeners.map(listenerName);
  }

  #writeRecord(): void {
    if (!this.#isAnnounced) return;
    writeRunRecord(this.#options.home, {
      pid: process.pid,
      started: this.#started,
      config: this.#loaded.file,
      listeners: this.#listenerNames(),
      reloads: this.#reloads,
      last_reload: this.#lastReload,
    });
  }
}

function load({ home, config, env }: GatewayProcessOptions): LoadedSettings {
  return readSettings({ home, env, ...(config === undefined ? {} : { file: config }) });
}

function openAccessLog({ nginx_config: { stream } }: Settings, home: string): LogFile | undefined {
  if (!stream.enable_access_log) return undefined;
  return openLogFile(resolve(home, stream.access_log), 'nginx_config.stream.access_log');
}

function makeFolders(home: string): void {
  for (const name of ['data', 'logs']) {
    const path = join(home, name);
    try {
      mkdirSync(path, { recursive: true });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new GatewayError(
        'HOME_UNUSABLE',
        `the folder ${path} could not be made: ${reason}; choose another one with --home, or change its permissions`,
        { cause },
      );
    }
  }
}
