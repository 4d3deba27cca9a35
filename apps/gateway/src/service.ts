/** Something that listens, beside the data plane. */
export interface Service {
  close(): Promise<void>;
  /** Goes on in new log files, if it has any. Throws `SETTINGS_INVALID` for one that cannot be written. */
  reopenLogs?(): void;
}

/** How a service is wanted: started anew when `key` changes. */
export interface ServicePlan {
  /** What it is and all it depends on; equal keys are the same service. */
  readonly key: string;
  readonly open: () => Promise<Service>;
}

interface Running {
  readonly plan: ServicePlan;
  readonly service: Service;
}

/** The services that run, brought in line with a list of plans at start and at every reload. */
export class Services {
  #running: readonly Running[] = [];

  /** What runs, as it was planned. */
  get plans(): readonly ServicePlan[] {
    return this.#running.map(({ plan }) => plan);
  }

  /**
   * Closes what is no longer wanted, then opens what is new. Rejects with the first `LISTENER_*`; what ran before runs
   * again then.
   */
  async become(plans: readonly ServicePlan[]): Promise<void> {
    const former = this.plans;
    try {
      await this.#change(plans);
    } catch (error) {
      await this.#change(former);
      throw error;
    }
  }

  /** @throws GatewayError `SETTINGS_INVALID` for a file that cannot be written; then the former one goes on. */
  reopenLogs(): void {
    for (const { service } of this.#running) service.reopenLogs?.();
  }

  async close(): Promise<void> {
    await this.#change([]);
  }

  async #change(plans: readonly ServicePlan[]): Promise<void> {
    const wanted = new Set(plans.map(({ key }) => key));
    const outdated = this.#running.filter(({ plan }) => !wanted.has(plan.key));
    this.#running = this.#running.filter(({ plan }) => wanted.has(plan.key));
    await Promise.all(outdated.map(({ service }) => service.close()));
    for (const plan of plans) {
      if (this.#running.some((running) => running.plan.key === plan.key)) continue;
      this.#running = [...this.#running, { plan, service: await plan.open() }];
    }
  }
}
