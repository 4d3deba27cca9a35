import { GatewayError } from '@apisix-ts/errors';
import type { Log } from './log.ts';
import type { GatewaySessions } from './sessions.ts';
import type { Drain, DrainKind } from './workers/drain.ts';

/** What is meant by its name. */
export type DrainTarget = Pick<Drain, 'kind' | 'name'>;

/** A drain, and how far it is. */
export interface DrainStatus extends Drain {
  /** Sessions that it still has. */
  readonly sessions: number;
}

/** What of a gateway gets no new sessions, as long as the gateway runs. */
export interface GatewayDrains {
  /** What is drained, without asking how far it is. */
  readonly current: readonly Drain[];
  /** In the order in which they began. */
  list(): Promise<readonly DrainStatus[]>;
  /**
   * Lets something get no new sessions, in any worker. Again, it begins anew, with another time or without one.
   * @param overMs closes the sessions that are there evenly over this time. Milliseconds; absent: they may stay.
   * Rejects with `DRAIN_TARGET_UNKNOWN`.
   */
  start(target: DrainTarget, overMs?: number): Promise<DrainStatus>;
  /** Takes it back. Rejects with `DRAIN_TARGET_UNKNOWN` for what is not drained, and `LISTENER_*` where one cannot be opened again. */
  undo(target: DrainTarget): Promise<void>;
}

export interface DrainsOptions {
  readonly sessions: Pick<GatewaySessions, 'list'>;
  /** What is drained from the start. */
  readonly former: readonly Drain[];
  /** Tells every worker. */
  readonly publish: (drains: readonly Drain[]) => void;
  /** Is there such a thing? */
  readonly isKnown: (target: DrainTarget) => boolean;
  /** Opens and closes listeners as the drains have it now. Rejects with `LISTENER_*`; then nothing changed. */
  readonly listen: () => Promise<void>;
  readonly log: Log;
}

export class Drains implements GatewayDrains {
  readonly #options: DrainsOptions;
  #drains: readonly Drain[];

  constructor(options: DrainsOptions) {
    this.#options = options;
    this.#drains = options.former;
    if (options.former.length > 0) options.publish(options.former);
  }

  get current(): readonly Drain[] {
    return this.#drains;
  }

  /** Names of listeners that are drained. */
  get listeners(): readonly string[] {
    return this.#drains.filter(({ kind }) => kind === 'listener').map(({ name }) => name);
  }

  list(): Promise<readonly DrainStatus[]> {
    return Promise.all(this.#drains.map((drain) => this.#status(drain)));
  }

  async start(target: DrainTarget, overMs?: number): Promise<DrainStatus> {
    const { kind, name } = target;
    if (!this.#options.isKnown(target)) throw unknown(`there is no ${kind} ${name} to drain`);
    const drain: Drain = { kind, name, since: Date.now(), ...(overMs === undefined ? {} : { overMs }) };
    await this.#become([...this.#others(target), drain]);
    this.#options.log('notice', 'draining', { [kind]: name, over_ms: overMs });
    return this.#status(drain);
  }

  async undo(target: DrainTarget): Promise<void> {
    const { kind, name } = target;
    const others = this.#others(target);
    if (others.length === this.#drains.length) throw unknown(`the ${kind} ${name} is not being drained`);
    await this.#become(others);
    this.#options.log('notice', 'no longer draining', { [kind]: name });
  }

  /** Workers hear of it before a listener is opened again, and sessions that come then are served. */
  async #become(drains: readonly Drain[]): Promise<void> {
    const former = this.#drains;
    this.#drains = drains;
    this.#options.publish(drains);
    try {
      await this.#options.listen();
    } catch (error) {
      this.#drains = former;
      this.#options.publish(former);
      throw error;
    }
  }

  #others({ kind, name }: DrainTarget): readonly Drain[] {
    return this.#drains.filter((drain) => drain.kind !== kind || drain.name !== name);
  }

  async #status(drain: Drain): Promise<DrainStatus> {
    const { total } = await this.#options.sessions.list({ [drain.kind]: drain.name }, 0);
    return { ...drain, sessions: total };
  }
}

/** What a drain may mean, among what there is. */
export interface DrainableThings {
  readonly hasListener: (name: string) => boolean;
  readonly hasResource: (segment: string, id: string) => boolean;
  readonly hasNode: (name: string) => boolean;
}

/** @returns whether it is the name of something. An upstream may be named by the place of what has it. */
export function isDrainable({ kind, name }: DrainTarget, things: DrainableThings): boolean {
  const kinds: Readonly<Record<DrainKind, () => boolean>> = {
    listener: () => things.hasListener(name),
    route: () => things.hasResource('stream_routes', name),
    upstream: () => {
      const [segment = '', id] = name.split('/');
      return id === undefined ? things.hasResource('upstreams', name) : things.hasResource(segment, id);
    },
    node: () => things.hasNode(name),
  };
  return kinds[kind]();
}

function unknown(message: string): GatewayError {
  return new GatewayError('DRAIN_TARGET_UNKNOWN', message);
}
