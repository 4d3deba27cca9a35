import type { Ip } from '../address/ip.ts';
import { PrefixMap } from '../address/prefix-map.ts';
import { compareSiblings } from './stream-match.ts';
import type { StreamMatch } from './stream-match.ts';

/** The best route found so far. */
export interface Candidate<R> {
  route: R | undefined;
}

/** A session as the indexes ask about it; its server name has been dealt with. */
export interface Lookup {
  /** What the client offered, in its order. */
  readonly alpn: readonly string[];
  readonly serverPort: number;
  readonly server: Ip | undefined;
  readonly remote: Ip | undefined;
}

/** The routes of one port (or of none), by server prefix, then client prefix. */
export class AddressIndex<R extends StreamMatch> {
  readonly #byServer = new PrefixMap<RemoteIndex<R>>();
  readonly #anyServer = new RemoteIndex<R>();

  get isEmpty(): boolean {
    return this.#byServer.isEmpty && this.#anyServer.isEmpty;
  }

  /** @returns the route that `route` ties with on everything but the id. */
  add(route: R): R | undefined {
    if (route.serverAddr === undefined) return this.#anyServer.add(route);
    let index = this.#byServer.get(route.serverAddr);
    if (index === undefined) {
      index = new RemoteIndex();
      this.#byServer.set(route.serverAddr, index);
    }
    return index.add(route);
  }

  remove(route: R): void {
    if (route.serverAddr === undefined) {
      this.#anyServer.remove(route);
      return;
    }
    const index = this.#byServer.get(route.serverAddr);
    index?.remove(route);
    if (index?.isEmpty) this.#byServer.delete(route.serverAddr);
  }

  find(lookup: Lookup, candidate: Candidate<R>): void {
    if (!this.#byServer.isEmpty && lookup.server !== undefined) {
      this.#byServer.visitContaining(lookup.server, (index) => index.find(lookup, candidate));
    }
    this.#anyServer.find(lookup, candidate);
  }
}

/** The routes of one server prefix (or of none), by client prefix. */
class RemoteIndex<R extends StreamMatch> {
  /** Made when it is needed: with many server prefixes most have routes of one sort only. */
  #byRemote: PrefixMap<R[]> | undefined;
  #anyRemote: R[] | undefined;

  get isEmpty(): boolean {
    return this.#byRemote === undefined && this.#anyRemote === undefined;
  }

  add(route: R): R | undefined {
    const siblings = this.#siblingsOf(route);
    if (siblings !== undefined) return insertSorted(siblings, route);
    // An array that begins with its element has room for no more, which most need never.
    if (route.remoteAddr === undefined) this.#anyRemote = [route];
    else (this.#byRemote ??= new PrefixMap()).set(route.remoteAddr, [route]);
    return undefined;
  }

  remove(route: R): void {
    const siblings = this.#siblingsOf(route);
    if (siblings === undefined) return;
    removeSorted(siblings, route);
    if (siblings.length > 0) return;
    if (route.remoteAddr === undefined) this.#anyRemote = undefined;
    else this.#byRemote?.delete(route.remoteAddr);
    if (this.#byRemote?.isEmpty) this.#byRemote = undefined;
  }

  find(lookup: Lookup, candidate: Candidate<R>): void {
    if (this.#byRemote !== undefined && lookup.remote !== undefined) {
      this.#byRemote.visitContaining(lookup.remote, (siblings) => offer(siblings, candidate));
    }
    if (this.#anyRemote !== undefined) offer(this.#anyRemote, candidate);
  }

  #siblingsOf({ remoteAddr }: R): R[] | undefined {
    return remoteAddr === undefined ? this.#anyRemote : this.#byRemote?.get(remoteAddr);
  }
}

/** Siblings have the same conditions, best first, so only the first can win; an equal priority found earlier stays. */
function offer<R extends StreamMatch>(siblings: readonly R[], candidate: Candidate<R>): void {
  const best = siblings[0];
  if (best === undefined) return;
  if (candidate.route === undefined || best.priority > candidate.route.priority) candidate.route = best;
}

/** @returns a neighbour of the same priority. A former version of the route, which is about to go, is none. */
function insertSorted<R extends StreamMatch>(siblings: R[], route: R): R | undefined {
  const position = lowerBound(siblings, route);
  siblings.splice(position, 0, route);
  const before = siblings[position - 1];
  if (before?.priority === route.priority) return before;
  const next = siblings[position + 1];
  const after = next?.id === route.id ? siblings[position + 2] : next;
  return after?.priority === route.priority ? after : undefined;
}

function removeSorted<R extends StreamMatch>(siblings: R[], route: R): void {
  const position = lowerBound(siblings, route);
  // A new version of the route with the same priority stands before it.
  const own = siblings[position] === route ? position : position + 1;
  if (siblings[own] === route) siblings.splice(own, 1);
}

function lowerBound<R extends StreamMatch>(siblings: readonly R[], route: R): number {
  let low = 0;
  let high = siblings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const sibling = siblings[middle];
    if (sibling !== undefined && compareSiblings(sibling, route) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
