import { closeSync } from 'node:fs';

/** Something that listens, beside the data plane. */
export interface Service {
  /** The socket that it listens on, for a process that takes it over. Until it is closed. */
  readonly descriptor: number;
  close(): Promise<void>;
  /** Closes for clients that can ask another process, which has the socket. */
  drain(): Promise<void>;
  /** Goes on in new log files, if it has any. Throws `SETTINGS_INVALID` for one that cannot be written. */
  reopenLogs?(): void;
}

/** How a service is wanted: started anew when `key` changes. */
export interface ServicePlan {
  /** What it is and all it depends on; equal keys are the same service. */
  readonly key: string;
  /** Where it listens: `127.0.0.1:9180`. */
  readonly address: string;
  /** @param inherited the descriptor of a socket that listens there already, from another process. */
  readonly open: (inherited: number | undefined) => Promise<Service>;
}

interface Running {
  readonly plan: ServicePlan;
  readonly service: Service;
}

/** The services that run, brought in line with a list of plans at start and at every reload. */
export class Services {
  #running: readonly Running[] = [];
  readonly #inherited: Map<string, number>;

  /** @param inherited sockets of another process, by their addresses. Default: there are none. */
  constructor(inherited: ReadonlyMap<string, number> = new Map()) {
    this.#inherited = new Map(inherited);
  }

  /** The sockets of what runs, by their addresses. Descriptors. */
  get sockets(): ReadonlyMap<string, number> {
    return new Map(this.#running.map(({ plan, service }) => [plan.address, service.descriptor]));
  }

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

  /** Closes the inherited sockets that no service took: connections would wait there for ever. */
  closeUnwanted(): void {
    for (const descriptor of this.#inherited.values()) closeSync(descriptor);
    this.#inherited.clear();
  }

  /** Closes what runs for clients that can ask another process, which has the sockets. */
  async drain(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(running.map(({ service }) => service.drain()));
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
      this.#running = [...this.#running, { plan, service: await this.#open(plan) }];
    }
  }
  #open({ address, open }: ServicePlan): Promise<Service> {
    const inherited = this.#inherited.get(address);
    this.#inherited.delete(address);
    return open(inherited);
  }
}
