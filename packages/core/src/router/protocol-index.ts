import { PortIndex } from './port-index.ts';
import type { Candidate, Lookup } from './address-index.ts';
import type { StreamMatch } from './stream-match.ts';

/** The routes of one server name pattern (or of none), by application protocol, then port and addresses. */
export class ProtocolIndex<R extends StreamMatch> {
  /** Made when it is needed: hardly any route asks for a protocol. */
  #byProtocol: Map<string, PortIndex<R>> | undefined;
  readonly #anyProtocol = new PortIndex<R>();

  get isEmpty(): boolean {
    return this.#byProtocol === undefined && this.#anyProtocol.isEmpty;
  }

  /** @returns a route that `route` ties with, for one of its protocols, on everything but the id. */
  add(route: R): R | undefined {
    if (route.alpn.length === 0) return this.#anyProtocol.add(route);
    const byProtocol = (this.#byProtocol ??= new Map());
    let tie: R | undefined;
    for (const protocol of new Set(route.alpn)) {
      let index = byProtocol.get(protocol);
      if (index === undefined) {
        index = new PortIndex<R>();
        byProtocol.set(protocol, index);
      }
      const other = index.add(route);
      tie ??= other;
    }
    return tie;
  }

  remove(route: R): void {
    if (route.alpn.length === 0) this.#anyProtocol.remove(route);
    for (const protocol of new Set(route.alpn)) {
      const index = this.#byProtocol?.get(protocol);
      index?.remove(route);
      if (index?.isEmpty) this.#byProtocol?.delete(protocol);
    }
    if (this.#byProtocol?.size === 0) this.#byProtocol = undefined;
  }

  /** Goes by the client's order of preference. */
  find(lookup: Lookup, candidate: Candidate<R>): void {
    if (this.#byProtocol !== undefined) {
      for (const protocol of lookup.alpn) this.#byProtocol.get(protocol)?.find(lookup, candidate);
    }
    this.#anyProtocol.find(lookup, candidate);
  }
}
