import type { Settings, Store } from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import type { Gateway, Log } from '@apisix-ts/runtime';
import type { Announcement } from '../announcement.ts';
import type { Services } from '../service.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { StoreLease } from './store-lease.ts';
import { Successor } from './successor.ts';
import { takeUpgradeRequest } from './upgrade-request.ts';

export interface HandoverOptions {
  /** Absolute path of the installation. */
  readonly home: string;
  /** Of `GatewayProcessOptions`. */
  readonly isForeground: boolean;
  readonly gateway: Gateway;
  readonly services: Services;
  readonly store: Store;
  readonly announcement: Announcement;
  readonly log: Log;
}

/** How this process makes room for another one, which goes on with its sockets, its store and its sessions' keys. */
export class Handover {
  readonly #options: HandoverOptions;
  #successor: Successor | undefined;
  #isDone = false;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** Another process has everything but the open sessions. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Starts the process that was asked for, and hands over once it serves. Never rejects for what goes wrong with it: this one
   * goes on as before then, and says why in the log and the run record.
   * @param configFile an absolute path. @returns whether it is done.
   */
  async tryOnce(settings: Settings, configFile: string): Promise<boolean> {
    const { home, isForeground, announcement, log } = this.#options;
    try {
      refuseUpgrade(settings, isForeground);
      const successor = await this.#start(['--home', home, '--config', configFile]);
      await successor.whenReady();
      await this.#leaveTo(successor);
      return true;
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      await this.#takeBack();
      announcement.upgradeFailed(error.message);
      log('error', 'no other process took over; this one goes on', {
        code: error.code,
        reason: error.message,
      });
      return false;
    }
  }

  /** Ends the process that was to take over, if there is one and it has not. */
  async cancel(): Promise<void> {
    if (!this.#isDone) await this.#successor?.end();
  }

  async #start(args: readonly string[]): Promise<Successor> {
    const { home, gateway, services, log } = this.#options;
    const successor = new Successor({
      program: takeUpgradeRequest(home),
      args,
      heritage: { gateway: await gateway.heritage(), services: services.sockets },
      releaseStore: async () => this.#lease?.release(),
    });
    this.#successor = successor;
    log('notice', 'another process is to take over', { pid: successor.pid });
    return successor;
  }

  /** The other listens on the same sockets, so whoever comes while these are closed is served by it. */
  async #leaveTo(successor: Successor): Promise<void> {
    const { gateway, services, announcement, log } = this.#options;
    this.#isDone = true;
    announcement.leave();
    this.#lease?.giveTo(successor.writer);
    await Promise.all([gateway.handOver(), services.drain()]);
    successor.letGo();
    log('notice', 'another process has taken over', { pid: successor.pid });
  }

  /** What the other had already. */
  async #takeBack(): Promise<void> {
    await this.#successor?.end();
    this.#successor = undefined;
    try {
      await this.#lease?.take();
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#options.log('error', 'the store could not be opened again', {
        code: error.code,
        reason: error.message,
      });
    }
  }

  get #lease(): StoreLease | undefined {
    const { store } = this.#options;
    return store instanceof StoreLease ? store : undefined;
  }
}
