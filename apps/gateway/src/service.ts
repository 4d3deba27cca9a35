/** Something that listens, beside the data plane. */
export interface Service {
  close(): Promise<void>;
}

/** How a service is wanted: started anew when `key` changes. */
export interface ServicePlan {
  /** What it is and all it depends on; equal keys are the same service. */
  readonly key: string;
  readonly open: () => Promise<Service>;
}

/** The services that run, brought in line with a list of plans at start and at every reload. */
export class Services {
  readonly #running = new Map<string, Service>();

  /** Closes what is no longer wanted, then opens what is new. Rejects with the first `LISTENER_*`; the rest runs. */
  async become(plans: readonly ServicePlan[]): Promise<void> {
    const wanted = new Set(plans.map(({ key }) => key));
    for (const [key, service] of this.#running) {
      if (wanted.has(key)) continue;
      this.#running.delete(key);
      await service.close();
    }
    for (const { key, open } of plans) {
      if (!this.#running.has(key)) this.#running.set(key, await open());
    }
  }

  async close(): Promise<void> {
    await this.become([]);
  }
}
