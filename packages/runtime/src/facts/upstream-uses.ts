import type { RouteFacts, ServiceFacts } from './facts.ts';

/**
 * Knows which upstreams sessions can get to: those that a stream route or its plugins name, and those of the services
 * that stream routes are served with. An upstream within a stream route is not counted here: its route is its use.
 */
export class UpstreamUses {
  /** By the route's id: keys of upstreams, and what of its service it is served with. */
  readonly #routes = new Map<string, readonly string[]>();
  /** Keys of upstreams, by what of a service routes are served with. */
  readonly #services = new Map<string, readonly string[]>();
  /** Routes of each of these, and services with routes of each upstream. */
  readonly #counts = new Map<string, number>();
  #touched = new Set<string>();

  isUsed(upstreamKey: string): boolean {
    return upstreamKey.startsWith(EMBEDDED) || this.#counts.has(upstreamKey);
  }

  /** @param others the keys of the upstreams that its plugins may send sessions to. */
  setRoute(id: string, facts: RouteFacts | undefined, others: readonly string[] = NONE): void {
    const former = this.#routes.get(id) ?? NONE;
    const targets = facts === undefined ? NONE : targetsOf(facts, others);
    if (targets.length === 0) this.#routes.delete(id);
    else this.#routes.set(id, targets);
    this.#move(former, targets);
  }

  /** @param others as for routes. */
  setService(id: string, facts: ServiceFacts | undefined, others: readonly string[] = NONE): void {
    const key = facts?.upstreamKey;
    this.#setKeys(serviceTarget(id), key === undefined ? others : [key, ...others]);
    this.#setKeys(pluginsTarget(id), others);
  }

  /** The upstreams that came into use or went out of it since this was last asked; some are as they were. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  #setKeys(service: string, keys: readonly string[]): void {
    const former = this.#services.get(service) ?? NONE;
    if (keys.length === 0) this.#services.delete(service);
    else this.#services.set(service, keys);
    if (this.#counts.has(service)) this.#move(former, keys);
  }

  /** What is in both is never unused in between. */
  #move(former: readonly string[], targets: readonly string[]): void {
    for (const target of targets) this.#count(target, 1);
    for (const target of former) this.#count(target, -1);
  }

  #count(target: string, change: 1 | -1): void {
    const former = this.#counts.get(target) ?? 0;
    const count = former + change;
    if (count === 0) this.#counts.delete(target);
    else this.#counts.set(target, count);
    if (former !== 0 && count !== 0) return;
    this.#touched.add(target);
    for (const key of this.#services.get(target) ?? NONE) this.#count(key, change);
  }
}

const EMBEDDED = 'stream_routes/';

const NONE: readonly string[] = [];

/** Most routes have one at most: with many routes each text and each place in a list counts. */
function targetsOf({ upstreamKey, serviceId }: RouteFacts, others: readonly string[]): readonly string[] {
  const own = others.filter((key) => !key.startsWith(EMBEDDED));
  if (upstreamKey === undefined) return serviceId === undefined ? own : [serviceTarget(serviceId), ...own];
  const plugins = serviceId === undefined ? NONE : [pluginsTarget(serviceId)];
  return upstreamKey.startsWith(EMBEDDED) ? [...plugins, ...own] : [upstreamKey, ...plugins, ...own];
}

/** A service with all that it has. Never an upstream's key. */
function serviceTarget(id: string): string {
  return `service ${id}`;
}

/** What a route with an upstream of its own has of a service. */
function pluginsTarget(id: string): string {
  return `plugins of service ${id}`;
}
