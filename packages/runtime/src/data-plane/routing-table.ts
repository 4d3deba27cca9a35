import { StreamRouter, parseCidr } from '@apisix-ts/core';
import type { RelayRates, StreamFacts, StreamMatch } from '@apisix-ts/core';
import { CertificateStore } from '@apisix-ts/transport';
import type { FactChange, RouteFacts, ServiceFacts, UpstreamFacts } from '../facts/facts.ts';
import type { WorkerNodeLoads } from '../shared-node-loads.ts';
import type { Drain } from '../workers/drain.ts';
import { DrainRules } from './drain-rules.ts';
import { chainPlugins } from './plugin-table.ts';
import type { PluginTable, WorkerPlugin } from './plugin-table.ts';
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
  /** Its own. */
  readonly plugins: readonly WorkerPlugin[];
}

/** A service in a worker. */
interface CompiledService {
  readonly name: string | undefined;
  readonly upstreamKey: string | undefined;
  readonly plugins: readonly WorkerPlugin[];
  /** The plugins of routes that are served with it, together with its own. */
  readonly chains: WeakMap<CompiledRoute, readonly WorkerPlugin[]>;
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
  readonly #services = new Map<string, CompiledService>();
  /** Those that no session asked for yet are still text. */
  readonly #upstreams = new Map<string, Upstream | string>();
  /** What clients are shown. */
  readonly certificates: CertificateStore = new CertificateStore();
  readonly #loads: WorkerNodeLoads;
  readonly #plugins: PluginTable;
  /** What gets no new sessions. */
  readonly drains: DrainRules = new DrainRules();
  /** Routes that are drained, and are not looked at because of that. */
  readonly #drained = new Map<string, CompiledRoute>();
  /** Routes that tied with another one when they came. */
  readonly #tied = new Set<string>();

  constructor(loads: WorkerNodeLoads, plugins: PluginTable) {
    this.#loads = loads;
    this.#plugins = plugins;
  }

  apply(changes: readonly FactChange[]): void {
    for (const change of changes) {
      switch (change.kind) {
        case 'route':
          this.#applyRoute(change.key, change.facts);
          break;
        case 'service':
          this.#applyService(change.key, change.facts);
          break;
        case 'plugin-metadata':
          this.#plugins.setMetadata(change.key, change.facts);
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
    return key === undefined ? undefined : this.upstream(key);
  }

  /** @returns undefined when the route has none, or names one that does not exist. */
  serviceOf({ serviceId }: CompiledRoute): CompiledService | undefined {
    return serviceId === undefined ? undefined : this.#services.get(serviceId);
  }

  /** @returns undefined when there is none with this key. */
  upstream(key: string): Upstream | undefined {
    const known = this.#upstreams.get(key);
    if (typeof known !== 'string') return known;
    const upstream = new Upstream(key, readUpstream(known), this.#loads, this.drains);
    this.#upstreams.set(key, upstream);
    return upstream;
  }

  /** Those that look at the sessions of a route, in their order: its own, and its service's. */
  pluginsOf(route: CompiledRoute): readonly WorkerPlugin[] {
    const service = this.serviceOf(route);
    if (service === undefined || service.plugins.length === 0) return route.plugins;
    let chain = service.chains.get(route);
    if (chain === undefined) {
      chain = chainPlugins(route.plugins, service.plugins);
      service.chains.set(route, chain);
    }
    return chain;
  }

  /** Whether sessions still get it. */
  isCurrent(upstream: Upstream): boolean {
    return this.#upstreams.get(upstream.key) === upstream;
  }

  #applyRoute(id: string, facts: RouteFacts | undefined): void {
    const former = this.#router.get(id) ?? this.#drained.get(id);
    const plugins = this.#plugins.replace(`stream_routes/${id}`, facts?.plugins, former?.plugins);
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
      upstreamKey: facts.upstreamKey,
      serviceId: facts.serviceId,
      tlsPassthrough: facts.tlsPassthrough ?? false,
      rates: facts.rates,
      plugins,
    };
    if (this.drains.hasRoute(id)) {
      this.#drained.set(id, route);
      return;
    }
    const other = this.#router.set(route);
    if (other !== undefined) this.#tied.add(id);
  }

  #applyService(id: string, facts: ServiceFacts | undefined): void {
    const former = this.#services.get(id);
    const plugins = this.#plugins.replace(`services/${id}`, facts?.plugins, former?.plugins);
    if (facts === undefined) this.#services.delete(id);
    else
      this.#services.set(id, {
        name: facts.name,
        upstreamKey: facts.upstreamKey,
        plugins,
        chains: new WeakMap(),
      });
  }

  #applyUpstream(key: string, facts: string | undefined): void {
    if (facts === undefined) {
      this.#upstreams.delete(key);
      return;
    }
    const known = this.#upstreams.get(key);
    if (known instanceof Upstream) known.update(readUpstream(facts));
    else this.#upstreams.set(key, facts);
  }
}

function readUpstream(facts: string): UpstreamFacts {
  return JSON.parse(facts) as UpstreamFacts; // the compiler wrote it
}

const NONE: readonly string[] = [];

/** Checked documents only hold addresses that parse; anything else is a defect. */
function toCidr(text: string | undefined): CompiledRoute['serverAddr'] {
  if (text === undefined) return undefined;
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new TypeError(`not an address or prefix: ${text}`);
  return cidr;
}
