import type { RouteFacts, ServiceFacts } from './facts.ts';

/**
 * Knows which upstreams sessions can get to: those that a stream route names, and those of the services that stream
 * routes are served with. An upstream within a stream route is not counted here: its route is its use.
 */
export class UpstreamUses {
  /** What routes are served with, by the route's id: an upstream's key, or a service. */
  readonly #routes = new Map<string, string>();
  /** The upstream of each service that has one. */
  readonly #services = new Map<string, string>();
  /** Routes of each upstream and service, and services with routes of each upstream. */
  readonly #counts = new Map<string, number>();
  #touched = new Set<string>();

  isUsed(upstreamKey: string): boolean {
    return upstreamKey.startsWith(EMBEDDED) || this.#counts.has(upstreamKey);
  }

  setRoute(id: string, facts: RouteFacts | undefined): void {
    const former = this.#routes.get(id);
    const target = facts && targetOf(facts);
    if (former === target) return;
    if (target === undefined) this.#routes.delete(id);
    else this.#routes.set(id, target);
    if (target !== undefined) this.#count(target, 1);
    if (former !== undefined) this.#count(former, -1);
  }

  setService(id: string, facts: ServiceFacts | undefined): void {
    const service = serviceTarget(id);
    const former = this.#services.get(service);
    const key = facts?.upstreamKey;
    if (former === key) return;
    if (key === undefined) this.#services.delete(service);
    else this.#services.set(service, key);
    if (!this.#counts.has(service)) return;
    if (key !== undefined) this.#count(key, 1);
    if (former !== undefined) this.#count(former, -1);
  }

  /** The upstreams that came into use or went out of it since this was last asked; some are as they were. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  #count(target: string, change: 1 | -1): void {
    const former = this.#counts.get(target) ?? 0;
    const count = former + change;
    if (count === 0) this.#counts.delete(target);
    else this.#counts.set(target, count);
    if (former !== 0 && count !== 0) return;
    this.#touched.add(target);
    const upstreamKey = this.#services.get(target);
    if (upstreamKey !== undefined) this.#count(upstreamKey, change);
  }
}

const EMBEDDED = 'stream_routes/';

function targetOf({ upstreamKey, serviceId }: RouteFacts): string | undefined {
  if (upstreamKey === undefined) return serviceId === undefined ? undefined : serviceTarget(serviceId);
  return upstreamKey.startsWith(EMBEDDED) ? undefined : upstreamKey;
}

/** Never an upstream's key. */
function serviceTarget(id: string): string {
  return `service ${id}`;
}
