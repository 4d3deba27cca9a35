import { parseIp } from '../address/ip.ts';
import { normalizeServerName } from '../tls/server-name.ts';
import type { Candidate, Lookup } from './address-index.ts';
import { ProtocolIndex } from './protocol-index.ts';
import { ServerNameIndex } from './server-name-index.ts';
import { parseServerNamePatterns } from './server-name-pattern.ts';
import type { StreamFacts } from './stream-facts.ts';
import type { StreamMatch } from './stream-match.ts';

/**
 * Finds the route of a session. Among the routes whose conditions all hold the winner has the higher `priority`;
 * then the exact server name, then the longer wildcard, then none; then an `alpn` that fits, the one that the client
 * prefers, then none; then a set `serverPort`; then the longer `serverAddr`;
 * then the longer `remoteAddr`; then the lower id (DESIGN section 5). The order of insertion never matters.
 *
 * A look-up costs the same with one route and with 100 000 (`bench/core/router/stream-router.bench.ts`,
 * `bench/core/router/server-name.bench.ts`): the routes are indexed by server name, then protocol, then port, then server prefix, then
 * client prefix. One change costs no rebuild.
 */
export class StreamRouter<R extends StreamMatch> {
  readonly #routes = new Map<string, R>();
  readonly #byName = new ServerNameIndex<R>();
  readonly #anyName = new ProtocolIndex<R>();

  get size(): number {
    return this.#routes.size;
  }

  get(id: string): R | undefined {
    return this.#routes.get(id);
  }

  /**
   * Adds the route, or puts it in the place of the one with the same id.
   * @returns a route it ties with on everything but the id, if any: of the two one never serves a session, or none that
   * asks for a name both have.
   */
  set(route: R): R | undefined {
    const former = this.#routes.get(route.id);
    this.#routes.set(route.id, route);
    // The new one first: what they share of the index stays, where taking out and putting in would wear its tables out.
    const tie = this.#index(route);
    if (former !== undefined) this.#unindex(former);
    return tie;
  }

  /** @returns whether there was such a route. */
  delete(id: string): boolean {
    const route = this.#routes.get(id);
    if (route === undefined) return false;
    this.#routes.delete(id);
    this.#unindex(route);
    return true;
  }

  match(facts: StreamFacts): R | undefined {
    const lookup = new SessionLookup(facts);
    // The more specific index goes first, and what comes later must have a higher priority to win.
    const candidate: Candidate<R> = { route: undefined };
    if (!this.#byName.isEmpty) {
      const { serverName } = facts;
      if (serverName !== undefined) {
        this.#byName.find(normalizeServerName(serverName), lookup, candidate);
      }
    }
    this.#anyName.find(lookup, candidate);
    return candidate.route;
  }

  /** Every route, in no particular order; changes may be made meanwhile. `RouteExplanation` tells why each wins or not. */
  routes(): Iterable<R> {
    return this.#routes.values();
  }

  #index(route: R): R | undefined {
    if (route.serverNames.length === 0) return this.#anyName.add(route);
    let tie: R | undefined;
    for (const pattern of parseServerNamePatterns(route.serverNames)) {
      const other = this.#byName.add(pattern, route);
      tie ??= other;
    }
    return tie;
  }

  #unindex(route: R): void {
    if (route.serverNames.length === 0) this.#anyName.remove(route);
    for (const pattern of parseServerNamePatterns(route.serverNames)) this.#byName.remove(pattern, route);
  }
}

/** Parses the two addresses on first use: without address conditions nobody asks the system for them. */
class SessionLookup implements Lookup {
  readonly #facts: StreamFacts;
  #server: ReturnType<typeof parseIp>;
  #remote: ReturnType<typeof parseIp>;

  constructor(facts: StreamFacts) {
    this.#facts = facts;
  }

  get alpn(): readonly string[] {
    return this.#facts.alpn ?? NO_PROTOCOLS;
  }

  get serverPort(): number {
    return this.#facts.serverPort;
  }

  get server(): ReturnType<typeof parseIp> {
    return (this.#server ??= parseIp(this.#facts.serverAddress));
  }

  get remote(): ReturnType<typeof parseIp> {
    return (this.#remote ??= parseIp(this.#facts.remoteAddress));
  }
}

const NO_PROTOCOLS: readonly string[] = [];
