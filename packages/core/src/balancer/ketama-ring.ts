import type { UpstreamNode } from '../upstream/upstream-node.ts';
import { crc32, crc32OfWord } from './crc32.ts';
import { sortByPoint } from './ring-points.ts';
import type { RingPoints } from './ring-points.ts';
import { shareOf } from './weights.ts';

const POINTS_PER_SHARE = 160;

/**
 * The ring of points that APISIX's chash (lua-resty-chash) lays out, so gateways of both kinds send a key to the same
 * node: 160 points for each weight / gcd of the weights, each the CRC-32 of the node's id and the point before. It does
 * not depend on the order of the nodes.
 */
export class KetamaRing {
  readonly #nodes: readonly UpstreamNode[];
  /** Ascending. */
  readonly #points: Uint32Array;
  /** Of the same positions: the index of the node that has the point. */
  readonly #owners: Uint32Array;

  constructor(nodes: readonly UpstreamNode[]) {
    this.#nodes = nodes.toSorted((a, b) => compareText(idOf(a), idOf(b)));
    const { points, owners } = sortByPoint(layOut(this.#nodes));
    this.#points = points;
    this.#owners = owners;
  }

  /** The number of points. */
  get size(): number {
    return this.#points.length;
  }

  /** The position of the first point that is not below `hash`, or of the very first if all are. */
  find(hash: number): number {
    const points = this.#points;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((points[middle] ?? 0) < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  /** @param position from 0, below `size`. */
  nodeAt(position: number): UpstreamNode | undefined {
    return this.#nodes[this.#owners[position] ?? 0];
  }
}

/** The points of one node after the other. */
function layOut(nodes: readonly UpstreamNode[]): RingPoints {
  const counts = pointCounts(nodes.map(shareOf));
  const size = counts.reduce((sum, count) => sum + count, 0);
  const points = new Uint32Array(size);
  const owners = new Uint32Array(size);
  let end = 0;
  for (const [index, node] of nodes.entries()) {
    const seed = crc32(idOf(node));
    let point = 0;
    for (const stop = end + (counts[index] ?? 0); end < stop; end++) {
      point = crc32OfWord(seed, point);
      points[end] = point;
      owners[end] = index;
    }
  }
  return { points, owners };
}

/** `host:port` as APISIX has it, with byte 0 for every colon: an IPv6 address stands in brackets. */
function idOf({ address, port }: UpstreamNode): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${host}:${port}`.replaceAll(':', '\0');
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Beyond this many points uneven weights are approximated: weights without a common divisor would otherwise cost
 * memory and time without a bound. Equal ones always get their 160 each.
 */
const LARGE_RING = 2 ** 18;

/** @param shares > 0. */
function pointCounts(shares: readonly number[]): readonly number[] {
  const unit = shares.reduce(greatestCommonDivisor);
  const exact = shares.map((share) => Math.round(share / unit) * POINTS_PER_SHARE);
  const total = exact.reduce((sum, count) => sum + count, 0);
  const limit = Math.max(LARGE_RING, shares.length * POINTS_PER_SHARE);
  if (total <= limit) return exact;
  return exact.map((count) => Math.max(1, Math.floor((count / total) * limit)));
}

/** Also of fractions, which weights are when the addresses of a name share one: what is left of rounding is no remainder. */
function greatestCommonDivisor(a: number, b: number): number {
  const noise = Math.max(a, b) * 1e-9;
  let [larger, smaller] = [a, b];
  while (smaller > noise) {
    const remainder = Math.abs(larger - Math.round(larger / smaller) * smaller);
    [larger, smaller] = [smaller, remainder];
  }
  return larger;
}
