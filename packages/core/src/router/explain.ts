import { maskIpv4, maskIpv6, parseIp } from '../address/ip.ts';
import type { Cidr } from '../address/ip.ts';
import { normalizeServerName } from '../tls/server-name.ts';
import { parseServerNamePatterns } from './server-name-pattern.ts';
import type { StreamFacts } from './stream-facts.ts';
import { compareSiblings } from './stream-match.ts';
import type { StreamMatch } from './stream-match.ts';

/** In the order of their weight. */
const conditions = ['serverName', 'alpn', 'serverPort', 'serverAddr', 'remoteAddr'] as const;

export type RouteCondition = (typeof conditions)[number];

/** What became of a route. */
export type RouteVerdict<R> =
  | { readonly kind: 'wins'; readonly route: R }
  /** It matches, but the winner is ahead in this, the first thing that they differ in. */
  | { readonly kind: 'loses'; readonly route: R; readonly by: 'priority' | RouteCondition | 'id' }
  /** These conditions do not hold. */
  | { readonly kind: 'misses'; readonly route: R; readonly on: readonly RouteCondition[] };

export interface ExplainedRoutes<R> {
  /** Those that match, best first, so the winner is in front; then the others: fewest broken conditions, priority, id. */
  readonly verdicts: readonly RouteVerdict<R>[];
  /** How many match, and how many do not; more than there are verdicts, if those are limited. */
  readonly matching: number;
  readonly missing: number;
}

/**
 * The rule of DESIGN section 5, route by route: who goes through many may pause between two of them, and keeps no more
 * than asked for.
 */
export class RouteExplanation<R extends StreamMatch> {
  readonly #facts: StreamFacts;
  readonly #matching: Best<Fitted<R>>;
  readonly #missing: Best<Missed<R>>;

  /** @param limit most verdicts, at least 1. Default: one for each route. */
  constructor(facts: StreamFacts, limit: number = Infinity) {
    this.#facts = facts;
    this.#matching = new Best<Fitted<R>>(limit, compareFits);
    this.#missing = new Best<Missed<R>>(limit, compareMissed);
  }

  add(route: R): void {
    const fits = fitsOf(route, this.#facts);
    const on = conditions.filter((condition) => fits[condition] === undefined);
    if (on.length === 0) this.#matching.add({ route, fits });
    else this.#missing.add({ route, on });
  }

  finish(): ExplainedRoutes<R> {
    const [winner, ...losers] = this.#matching.items;
    const verdicts: RouteVerdict<R>[] = [];
    if (winner !== undefined) {
      verdicts.push({ kind: 'wins', route: winner.route });
      for (const each of losers)
        verdicts.push({ kind: 'loses', route: each.route, by: difference(winner, each) });
    }
    const left = this.#matching.limit - verdicts.length;
    for (const { route, on } of this.#missing.items.slice(0, left))
      verdicts.push({ kind: 'misses', route, on });
    return { verdicts, matching: this.#matching.count, missing: this.#missing.count };
  }
}

/** The first of everything that was added, in order. */
class Best<T> {
  readonly limit: number;
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];
  #isSorted = true;
  #count = 0;

  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.limit = limit;
    this.#compare = compare;
  }

  /** Of all that was added. */
  get count(): number {
    return this.#count;
  }

  get items(): readonly T[] {
    if (!this.#isSorted) this.#items = this.#items.sort(this.#compare).slice(0, this.limit);
    this.#isSorted = true;
    return this.#items;
  }

  add(item: T): void {
    this.#count += 1;
    this.#items.push(item);
    this.#isSorted = false;
    // Sorted now and then, so that many cost little each, and few are kept.
    if (this.#items.length >= 2 * this.limit + 64) void this.items;
  }
}

/** How closely each condition fits: undefined where it does not hold, -1 where it is not set. */
type Fits = Readonly<Record<RouteCondition, number | undefined>>;

interface Fitted<R extends StreamMatch> {
  readonly route: R;
  readonly fits: Fits;
}

interface Missed<R extends StreamMatch> {
  readonly route: R;
  readonly on: readonly RouteCondition[];
}

function fitsOf(route: StreamMatch, facts: StreamFacts): Fits {
  return {
    serverName: fitOfName(route.serverNames, facts.serverName),
    alpn: fitOfProtocols(route.alpn, facts.alpn ?? []),
    serverPort: fitOfPort(route.serverPort, facts.serverPort),
    serverAddr: fitOfAddress(route.serverAddr, facts.serverAddress),
    remoteAddr: fitOfAddress(route.remoteAddr, facts.remoteAddress),
  };
}

function fitOfName(names: readonly string[], serverName: string | undefined): number | undefined {
  if (names.length === 0) return -1;
  if (serverName === undefined) return undefined;
  const name = normalizeServerName(serverName);
  let best: number | undefined;
  for (const { kind, text } of parseServerNamePatterns(names)) {
    if (kind === 'exact' && text === name) return Infinity;
    if (kind === 'suffix' && name.endsWith(text)) best = Math.max(best ?? 0, text.length);
  }
  return best;
}

/** The earlier the client has it in its list the better. */
function fitOfProtocols(wanted: readonly string[], offered: readonly string[]): number | undefined {
  if (wanted.length === 0) return -1;
  const index = offered.findIndex((protocol) => wanted.includes(protocol));
  return index === -1 ? undefined : offered.length - index;
}

function fitOfPort(wanted: number | undefined, port: number): number | undefined {
  if (wanted === undefined) return -1;
  return wanted === port ? 1 : undefined;
}

function fitOfAddress(prefix: Cidr | undefined, address: string): number | undefined {
  if (prefix === undefined) return -1;
  const ip = parseIp(address);
  if (ip?.family === 4) {
    return prefix.family === 4 && maskIpv4(ip.bits, prefix.prefixLength) === prefix.bits
      ? prefix.prefixLength
      : undefined;
  }
  if (ip?.family !== 6 || prefix.family !== 6) return undefined;
  return maskIpv6(ip.bits, prefix.prefixLength) === prefix.bits ? prefix.prefixLength : undefined;
}

function compareFits(a: Fitted<StreamMatch>, b: Fitted<StreamMatch>): number {
  if (a.route.priority !== b.route.priority) return b.route.priority - a.route.priority;
  for (const condition of conditions) {
    const [left = -1, right = -1] = [a.fits[condition], b.fits[condition]];
    if (left !== right) return right - left;
  }
  return compareSiblings(a.route, b.route);
}

function compareMissed(a: Missed<StreamMatch>, b: Missed<StreamMatch>): number {
  return a.on.length - b.on.length || compareSiblings(a.route, b.route);
}

function difference(a: Fitted<StreamMatch>, b: Fitted<StreamMatch>): 'priority' | RouteCondition | 'id' {
  if (a.route.priority !== b.route.priority) return 'priority';
  return conditions.find((condition) => a.fits[condition] !== b.fits[condition]) ?? 'id';
}
