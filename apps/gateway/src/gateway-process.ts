import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Endpoints } from '@apisix-ts/admin';
import { httpListeners, listenerName, readSettings } from '@apisix-ts/config';
import type { LoadedSettings, Settings, Store } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { createGateway } from '@apisix-ts/runtime';
import type { Gateway, WorkerProgram } from '@apisix-ts/runtime';
import { createAdminEndpoints } from './admin-endpoints.ts';
import { Announcement } from './announcement.ts';
import { openErrorLog } from './error-log.ts';
import type { ErrorLog } from './error-log.ts';
import { HttpActivity } from './http-activity.ts';
import { openLogFile } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { keepForm, pendingSettings } from './restart-settings.ts';
import { Services } from './service.ts';
import type { ServicePlan } from './service.ts';
import type { ServiceContext } from './service-plans.ts';
import { planServices, planStatus } from './service-plans.ts';
import { openStore, snapshotOptions } from './stores.ts';
import { Handover } from './upgrade/handover.ts';
import type { Predecessor } from './upgrade/predecessor.ts';

export interface GatewayProcessOptions {
  /** Absolute path of the installation. */
  readonly home: string;
  /** Absolute path of the configuration file; default `HOME/conf/config.yaml`. */
  readonly config: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /**
   * Somebody watches this process: the error log goes to standard error too, and no other process takes its place, since its
   * end is taken for that of the gateway.
   */
  readonly isForeground: boolean;
  /** Default: opens the store that the settings name. */
  readonly openStore?: typeof openStore;
  /** Default: the one in the files of `@apisix-ts/runtime`. */
  readonly workerProgram?: WorkerProgram | undefined;
  /** The process whose place this one takes. Default: there is none. */
  readonly predecessor?: Predecessor | undefined;
}

/** A whole gateway: data plane, Admin API, Control API, status API, metrics, and the files that tell of it. */
export class GatewayProcess {
  readonly #options: GatewayProcessOptions;
  readonly #log: ErrorLog;
  readonly #accessLog: LogFile | undefined;
  readonly #store: Store;
  readonly #gateway: Gateway;
  readonly #adminEndpoints: Endpoints | undefined;
  readonly #services: Services;
  readonly #httpActivity = new HttpActivity();
  readonly #announcement: Announcement;
  readonly #handover: Handover;
  /** A reload changes only some of them. */
  readonly #startedWith: Settings;
  #loaded: LoadedSettings;
  /** Reloads and upgrades, one at a time: signals may come faster than listeners open. */
  #changing: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  /** Rejects with `SETTINGS_*`, `STORE_*` or `LISTENER_*`; nothing is left open then. */
  static async start(options: GatewayProcessOptions): Promise<GatewayProcess> {
    const loaded = load(options);
    makeFolders(options.home);
    const { error_log: path, error_log_level: level } = loaded.settings.nginx_config;
    const log = openErrorLog({ path: resolve(options.home, path), level, mirror: options.isForeground });
    let store: Store | undefined;
    let accessLog: LogFile | undefined;
    try {
      log.log('info', `use config_provider: ${loaded.settings.deployment.config_provider}`, {});
      accessLog = openAccessLog(loaded.settings, options.home);
      const context = { home: options.home, env: options.env, log: log.log };
      store = await (options.openStore ?? openStore)(loaded.settings, context, options.predecessor);
      const snapshot = snapshotOptions(loaded.settings, options.home);
      const gateway = createGateway(loaded.settings, {
        store,
        ...(snapshot === undefined ? {} : { snapshot }),
        ...(options.predecessor === undefined ? {} : { inherited: options.predecessor.heritage.gateway }),
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
    this.#services = new Services(options.predecessor?.heritage.services);
    this.#announcement = new Announcement(options.home, () => ({
      config: this.#loaded.file,
      listeners: this.#listenerNames(),
    }));
    this.#handover = new Handover({
      home: options.home,
      isForeground: options.isForeground,
      gateway,
      services: this.#services,
      store,
      announcement: this.#announcement,
      log: logs.error.log,
    });
    this.#adminEndpoints = createAdminEndpoints({
      settings: loaded.settings,
      gateway,
      store,
      isStreamEnabled: () => this.settings.apisix.proxy_mode !== 'http',
      reloadPlugins: () => this.reloadPlugins(),
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
      this.#services.closeUnwanted();
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
    this.#announcement.make();
  }

  /**
   * Reads the configuration file again and takes over what changed; the outcome goes to the log and the run record.
   * Never rejects: a file with errors changes nothing.
   */
  reload(): Promise<void> {
    return this.#inTurn(() => this.#reload(), undefined);
  }

  /**
   * Reads the list of plugins in the configuration file again, and nothing else of it. Rejects with `SETTINGS_*` or
   * `PLUGINS_UNUSABLE`; the list stays as it was then.
   */
  reloadPlugins(): Promise<void> {
    const reload = async (): Promise<void> => {
      const { settings } = load({ ...this.#options, config: this.#loaded.file });
      await this.#gateway.reloadPlugins(settings);
      this.#loaded = {
        ...this.#loaded,
        settings: { ...this.settings, stream_plugins: settings.stream_plugins },
      };
    };
    return this.#inTurn(reload, undefined);
  }

  /**
   * Starts another process in the place of this one, with its sockets, on the same home; the outcome goes to the log and
   * the run record. Never rejects: where the other does not get to serve, this one goes on as before.
   * @returns whether it is time to end: the other has everything but the open sessions.
   */
  upgrade(): Promise<boolean> {
    return this.#inTurn(() => this.#handover.tryOnce(this.settings, this.configFile), false);
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
    await this.#handover.cancel();
    await this.#services.close();
    await this.#gateway.close();
    await this.#store.close();
    this.#announcement.remove();
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
      this.#announcement.reloaded({ at, ok: true, pending });
      this.#log.log('notice', 'the configuration was read again', { listeners: this.#listenerNames() });
      for (const path of pending) {
        this.#log.log('warn', 'a changed setting takes effect after a restart', { setting: path });
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#announcement.reloaded({ at, ok: false, error: error.message });
      this.#log.log('error', 'the configuration was not taken over', {
        code: error.code,
        reason: error.message,
      });
    }
  }

  /** @param over is answered where nothing here changes any more. */
  #inTurn<T>(change: () => Promise<T>, over: T): Promise<T> {
    const changed = this.#changing.then(() => (this.#handover.isDone ? over : change()));
    // Whoever asked is told of a failure; the next change has nothing to do with it.
    this.#changing = changed.catch(() => {});
    return changed;
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
      httpActivity: this.#httpActivity,
      home: this.#options.home,
      gateway: this.#gateway,
      store: this.#store,
      adminEndpoints: this.#adminEndpoints,
      reloadPlugins: () => this.reloadPlugins(),
      log: this.#log.log,
    };
  }

  #listenerNames(): readonly string[] {
    return this.#gateway.status().listeners.map(listenerName);
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
