import { AddressIndex } from './address-index.ts';
import type { Candidate, Lookup } from './address-index.ts';
import type { StreamMatch } from './stream-match.ts';

/** The routes of one application protocol (or of none), by port, then addresses. */
export class PortIndex<R extends StreamMatch> {
  readonly #byPort = new Map<number, AddressIndex<R>>();
  readonly #anyPort = new AddressIndex<R>();

  get isEmpty(): boolean {
    return this.#byPort.size === 0 && this.#anyPort.isEmpty;
  }

  /** @returns the route that `route` ties with on everything but the id. */
  add(route: R): R | undefined {
    if (route.serverPort === undefined) return this.#anyPort.add(route);
    let index = this.#byPort.get(route.serverPort);
    if (index === undefined) {
      index = new AddressIndex();
      this.#byPort.set(route.serverPort, index);
    }
    return index.add(route);
  }

  remove(route: R): void {
    if (route.serverPort === undefined) {
      this.#anyPort.remove(route);
      return;
    }
    const index = this.#byPort.get(route.serverPort);
    index?.remove(route);
    if (index?.isEmpty) this.#byPort.delete(route.serverPort);
  }

  find(lookup: Lookup, candidate: Candidate<R>): void {
    this.#byPort.get(lookup.serverPort)?.find(lookup, candidate);
    this.#anyPort.find(lookup, candidate);
  }
}
