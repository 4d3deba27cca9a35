import { removePidFile, writePidFile } from './pid-file.ts';
import { processIdentity } from './process-identity.ts';
import { removeRunRecord, writeRunRecord } from './run-record.ts';
import type { ReloadRecord, RunRecord } from './run-record.ts';

/** What changes while a gateway runs. */
export type AnnouncedFacts = Pick<RunRecord, 'config' | 'listeners'>;

/** The pid file and the run record of this process: by them `apisix` finds it, and learns how things went. */
export class Announcement {
  readonly #home: string;
  readonly #facts: () => AnnouncedFacts;
  readonly #started = Date.now();
  #isMade = false;
  #reloads = 0;
  #lastReload: ReloadRecord | null = null;
  #failedUpgrades = 0;
  #lastUpgradeError: string | null = null;

  constructor(home: string, facts: () => AnnouncedFacts) {
    this.#home = home;
    this.#facts = facts;
  }

  /** From now on `apisix` finds this process and sends it signals. */
  make(): void {
    this.#isMade = true;
    writePidFile(this.#home);
    this.#write();
  }

  reloaded(outcome: ReloadRecord): void {
    this.#reloads += 1;
    this.#lastReload = outcome;
    this.#write();
  }

  /** Whoever was to take this one's place may have announced itself already. */
  upgradeFailed(reason: string): void {
    this.#failedUpgrades += 1;
    this.#lastUpgradeError = reason;
    if (this.#isMade) this.make();
  }

  /** Another process has announced itself. */
  leave(): void {
    this.#isMade = false;
  }

  /** Takes away what is this process's own. */
  remove(): void {
    this.#isMade = false;
    removePidFile(this.#home);
    removeRunRecord(this.#home);
  }

  #write(): void {
    if (!this.#isMade) return;
    writeRunRecord(this.#home, {
      pid: process.pid,
      identity: processIdentity(process.pid),
      started: this.#started,
      ...this.#facts(),
      reloads: this.#reloads,
      last_reload: this.#lastReload,
      failed_upgrades: this.#failedUpgrades,
      last_upgrade_error: this.#lastUpgradeError,
    });
  }
}
