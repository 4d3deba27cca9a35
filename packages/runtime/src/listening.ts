import { closeSync } from 'node:fs';
import { lookup as lookUpHost } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Settings } from '@apisix-ts/config';
import { listenError } from '@apisix-ts/errors';
import { probeDatagramPort, probePort } from '@apisix-ts/transport';
import { isListener } from './data-plane/session-filter.ts';
import { ListenerTable } from './listeners.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { ListenerSpec } from './workers/worker-link.ts';

/** Sockets that listen, of all workers: descriptors, by the names of listeners. */
export type StreamSockets = ReadonlyMap<string, readonly number[]>;

export interface ListeningOptions {
  readonly pool: Pick<WorkerPool, 'listen' | 'sockets'>;
  /** Of another process; taken over or closed with the first listeners. */
  readonly inherited: StreamSockets;
  /** The names of listeners that accept nobody for now. */
  readonly drained: () => readonly string[];
}

/** The listeners of a gateway: which the settings ask for, and which the workers have. */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #table = new ListenerTable();
  /** What the settings ask for, drained ones too. */
  #planned: readonly ListenerSpec[] = [];
  /** Those among them that are closed because they are drained. */
  #shut: readonly ListenerSpec[] = [];
  /** Until they are taken over. */
  #inherited: StreamSockets;
  #hasEnded = false;
  /** The former change, which may still accept who waits where it closes. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#inherited = options.inherited;
  }

  get open(): readonly ListenerSpec[] {
    return this.#table.open;
  }

  /** Closed because they are drained; with an address, as they were open. */
  get shut(): readonly ListenerSpec[] {
    return this.#shut;
  }

  /** Every listener there has been and its counters' place. */
  get slots(): ReadonlyMap<string, number> {
    return this.#table.slots;
  }

  /** What these settings ask for. @throws GatewayError `SETTINGS_INVALID` when there are too many. */
  plan(settings: Settings): readonly ListenerSpec[] {
    return this.#table.plan(settings);
  }

  /** Is there such a listener, drained or not? `9100`, `127.0.0.1:9100`, `0.0.0.0:53/udp`. */
  has(name: string): boolean {
    return this.#planned.some((spec) => isListener(name, spec));
  }

  /** Opens and closes, after what is drained has changed. Rejects with `LISTENER_*`. */
  renew(): Promise<void> {
    return this.#inTurn(() => this.#become(this.#planned));
  }

  /**
   * Makes these the listeners. Rejects with `LISTENER_*` when one cannot be opened; then nothing changed. UDP listeners
   * stay open while they are drained, for the answers.
   */
  become(planned: readonly ListenerSpec[]): Promise<void> {
    return this.#inTurn(() => this.#become(planned));
  }

  async #become(planned: readonly ListenerSpec[]): Promise<void> {
    if (this.#hasEnded) return;
    const drained = this.#options.drained();
    const isShut = (spec: ListenerSpec): boolean =>
      spec.protocol === 'tcp' && drained.some((name) => isListener(name, spec));
    const wanted = planned.filter((spec) => !isShut(spec));
    const plan = await Promise.all(wanted.map(withAddress));
    // Workers share their ports, so only an exclusive attempt finds out that another program has one.
    for (const { name, protocol, host, port } of this.#table.added(plan)) {
      if (this.#inherited.has(name)) continue;
      if (protocol === 'udp') probeDatagramPort(host, port);
      else await probePort(host, port);
    }
    await this.#options.pool.listen(plan, this.#inherited);
    this.#shut = withKnownAddresses(planned.filter(isShut), [...this.#table.open, ...this.#shut]);
    this.#table.adopt(plan);
    this.#planned = planned;
    closeUnwanted(this.#inherited, plan);
    this.#inherited = new Map();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => {
      // Whoever asked for it is told.
    });
    return changed;
  }

  /** The sockets, for another process; UDP ones without. */
  async sockets(): Promise<StreamSockets> {
    const all = this.#table.open.map(({ name }) => [name, []] as const);
    return new Map([...all, ...(await this.#options.pool.sockets())]);
  }

  /** Nothing is opened from now on; whoever ends the workers closes what is open. */
  end(): void {
    this.#hasEnded = true;
  }
}

/** Connections would wait there for ever. */
function closeUnwanted(inherited: StreamSockets, plan: readonly ListenerSpec[]): void {
  const wanted = new Set(plan.map(({ name }) => name));
  for (const [name, descriptors] of inherited) {
    if (!wanted.has(name)) for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** By the addresses that their hosts had; without those that were never open at one. */
function withKnownAddresses(
  specs: readonly ListenerSpec[],
  known: readonly ListenerSpec[],
): readonly ListenerSpec[] {
  const hosts = new Map(known.map(({ name, host }) => [name, host]));
  return specs
    .map((spec) => ({ ...spec, host: hosts.get(spec.name) ?? spec.host }))
    .filter(({ host }) => isIP(host) !== 0);
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
