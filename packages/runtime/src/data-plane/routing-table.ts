import { StreamRouter, parseCidr } from '@apisix-ts/core';
import type { RelayRates, StreamFacts, StreamMatch } from '@apisix-ts/core';
import { CertificateStore } from '@apisix-ts/transport';
import type { FactChange, RouteFacts, ServiceFacts } from '../facts/facts.ts';
import type { WorkerNodeLoads } from '../shared-node-loads.ts';
import type { Drain } from '../workers/drain.ts';
import { DrainRules } from './drain-rules.ts';
import { Upstream } from './upstream.ts';

/** A stream route in a worker. */
export interface CompiledRoute extends StreamMatch {
  readonly name: string | undefined;
  readonly upstreamKey: string | undefined;
  readonly serviceId: string | undefined;
  /** Where a listener can do both, TLS of such a route is passed on. */
  readonly tlsPassthrough: boolean;
  /** Of each session; undefined: no limit. */
  readonly rates: RelayRates | undefined;
}

/** Two routes that tie on everything but their id: `shadowed` never serves a session. */
export interface Overlap {
  readonly winner: string;
  readonly shadowed: string;
}

/**
 * What a worker routes by. Changes are applied in place, between two connections: routes, services and upstreams
 * refer to one another by key, so a change costs what it changes, however much there is.
 */
export class RoutingTable {
  readonly #router = new StreamRouter<CompiledRoute>();
  readonly #services = new Map<string, ServiceFacts>();
  readonly #upstreams = new Map<string, Upstream>();
  /** What clients are shown. */
  readonly certificates: CertificateStore = new CertificateStore();
  readonly #loads: WorkerNodeLoads;
  /** What gets no new sessions. */
  readonly drains: DrainRules = new DrainRules();
  /** Routes that are drained, and are not looked at because of that. */
  readonly #drained = new Map<string, CompiledRoute>();
  /** Routes that tied with another one when they came. */
  readonly #tied = new Set<string>();

  constructor(loads: WorkerNodeLoads) {
    this.#loads = loads;
  }

  apply(changes: readonly FactChange[]): void {
    for (const change of changes) {
      switch (change.kind) {
        case 'route':
          this.#applyRoute(change.key, change.facts);
          break;
        case 'service':
          if (change.facts === undefined) this.#services.delete(change.key);
          else this.#services.set(change.key, change.facts);
          break;
        case 'certificate':
          if (change.facts === undefined) this.certificates.delete(change.key);
          else this.certificates.set(change.key, change.facts);
          break;
        case 'upstream':
          this.#applyUpstream(change.key, change.facts);
          break;
      }
    }
  }

  /** Routes that came to overlap since this was asked for, and still do: in one change, routes may swap places. */
  takeOverlaps(): readonly Overlap[] {
    const winners = new Map<string, string>();
    for (const id of this.#tied) {
      const route = this.#router.get(id);
      // Set again, it tells what it ties with now.
      const other = route && this.#router.set(route);
      if (other === undefined) continue;
      if (other.id < id) winners.set(id, other.id);
      else winners.set(other.id, id);
    }
    this.#tied.clear();
    return Array.from(winners, ([shadowed, winner]) => ({ winner, shadowed }));
  }

  /** Lets these get no new sessions, from now on and instead of those before. */
  setDrains(drains: readonly Drain[]): void {
    this.drains.set(drains);
    for (const [id, route] of this.#drained) {
      if (this.drains.hasRoute(id)) continue;
      this.#drained.delete(id);
      this.#router.set(route);
    }
    for (const { kind, name } of drains) {
      const route = kind === 'route' ? this.#router.get(name) : undefined;
      if (route === undefined) continue;
      this.#drained.set(name, route);
      this.#router.delete(name);
    }
  }

  match(facts: StreamFacts): CompiledRoute | undefined {
    return this.#router.match(facts);
  }

  /** Those that are not looked at, because an operator said so. */
  get drainedRoutes(): Iterable<CompiledRoute> {
    return this.#drained.values();
  }

  /** In no particular order; changes may be made meanwhile. */
  routes(): Iterable<CompiledRoute> {
    return this.#router.routes();
  }

  /** @returns undefined when the route has none, or names one that does not exist. */
  upstreamOf(route: CompiledRoute): Upstream | undefined {
    const key = route.upstreamKey ?? this.serviceOf(route)?.upstreamKey;
    return key === undefined ? undefined : this.#upstreams.get(key);
  }

  /** @returns undefined when the route has none, or names one that does not exist. */
  serviceOf({ serviceId }: CompiledRoute): ServiceFacts | undefined {
    return serviceId === undefined ? undefined : this.#services.get(serviceId);
  }

  /** Whether sessions still get it. */
  isCurrent(upstream: Upstream): boolean {
    return this.#upstreams.get(upstream.key) === upstream;
  }

  #applyRoute(id: string, facts: RouteFacts | undefined): void {
    if (facts === undefined) {
      this.#router.delete(id);
      this.#drained.delete(id);
      return;
    }
    const route: CompiledRoute = {
      id,
      name: facts.name,
      priority: facts.priority,
      serverNames: facts.serverNames ?? NONE,
      alpn: facts.alpn ?? NONE,
      serverPort: facts.serverPort,
      serverAddr: toCidr(facts.serverAddr),
      remoteAddr: toCidr(facts.remoteAddr),
      // Of two equal texts one is kept; an embedded upstream comes before its route.
      upstreamKey: this.#upstreams.get(facts.upstreamKey ?? '')?.key ?? facts.upstreamKey,
      serviceId: facts.serviceId,
      tlsPassthrough: facts.tlsPassthrough ?? false,
      rates: facts.rates,
    };
    if (this.drains.hasRoute(id)) {
      this.#drained.set(id, route);
      return;
    }
    const other = this.#router.set(route);
    if (other !== undefined) this.#tied.add(id);
  }

  #applyUpstream(key: string, facts: Upstream['facts'] | undefined): void {
    if (facts === undefined) {
      this.#upstreams.delete(key);
      return;
    }
    const upstream = this.#upstreams.get(key);
    if (upstream === undefined) this.#upstreams.set(key, new Upstream(key, facts, this.#loads, this.drains));
    else upstream.update(facts);
  }
}

const NONE: readonly string[] = [];

/** Checked documents only hold addresses that parse; anything else is a defect. */
function toCidr(text: string | undefined): CompiledRoute['serverAddr'] {
  if (text === undefined) return undefined;
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new TypeError(`not an address or prefix: ${text}`);
  return cidr;
}
