import { parseIp } from '../address/ip.ts';
import { AddressIndex } from './address-index.ts';
import type { Candidate } from './address-index.ts';
import type { StreamMatch } from './stream-match.ts';

/** What is known of a session when it is routed. Read only as far as the routes there are need it. */
export interface StreamFacts {
  /** The local port that was connected to. */
  readonly serverPort: number;
  /** The local address that was connected to: an ip literal, never the wildcard. */
  readonly serverAddress: string;
  /** The client's address: an ip literal. */
  readonly remoteAddress: string;
}

/**
 * Finds the route of a session. Among the routes whose conditions all hold the winner has the higher `priority`;
 * then a set `serverPort`; then the longer `serverAddr`; then the longer `remoteAddr`; then the lower id
 * (DESIGN section 5). The order of insertion never matters.
 *
 * A look-up costs the same with one route and with 100 000 (`bench/core/router/stream-router.bench.ts`): the
 * routes are indexed by port, then server prefix, then client prefix. One change costs no rebuild.
 */
export class StreamRouter<R extends StreamMatch> {
  readonly #routes = new Map<string, R>();
  readonly #byPort = new Map<number, AddressIndex<R>>();
  readonly #anyPort = new AddressIndex<R>();

  get size(): number {
    return this.#routes.size;
  }

  get(id: string): R | undefined {
    return this.#routes.get(id);
  }

  /**
   * Adds the route, or puts it in the place of the one with the same id.
   * @returns the route it ties with on everything but the id, if any: one of the two never serves a session.
   */
  set(route: R): R | undefined {
    this.delete(route.id);
    this.#routes.set(route.id, route);
    return this.#indexOf(route.serverPort).add(route);
  }

  /** @returns whether there was such a route. */
  delete(id: string): boolean {
    const route = this.#routes.get(id);
    if (route === undefined) return false;
    this.#routes.delete(id);
    const index = this.#indexOf(route.serverPort);
    index.remove(route);
    if (route.serverPort !== undefined && index.isEmpty) this.#byPort.delete(route.serverPort);
    return true;
  }

  match(facts: StreamFacts): R | undefined {
    const addresses = new SessionAddresses(facts);
    // The more specific index goes first, and what comes later must have a higher priority to win.
    const candidate: Candidate<R> = { route: undefined };
    this.#byPort.get(facts.serverPort)?.find(addresses, candidate);
    this.#anyPort.find(addresses, candidate);
    return candidate.route;
  }

  #indexOf(serverPort: number | undefined): AddressIndex<R> {
    if (serverPort === undefined) return this.#anyPort;
    let index = this.#byPort.get(serverPort);
    if (index === undefined) {
      index = new AddressIndex();
      this.#byPort.set(serverPort, index);
    }
    return index;
  }
}

/** Parses the two addresses on first use: without address conditions nobody asks the system for them. */
class SessionAddresses {
  readonly #facts: StreamFacts;
  #server: ReturnType<typeof parseIp>;
  #remote: ReturnType<typeof parseIp>;

  constructor(facts: StreamFacts) {
    this.#facts = facts;
  }

  get server(): ReturnType<typeof parseIp> {
    return (this.#server ??= parseIp(this.#facts.serverAddress));
  }

  get remote(): ReturnType<typeof parseIp> {
    return (this.#remote ??= parseIp(this.#facts.remoteAddress));
  }
}
