import type { Candidate, Lookup } from './address-index.ts';
import { ProtocolIndex } from './protocol-index.ts';
import type { ServerNamePattern } from './server-name-pattern.ts';
import type { StreamMatch } from './stream-match.ts';

/**
 * The routes that ask for a server name, by pattern. Looking up a name costs one hash look-up for the name, one for each of its
 * labels, and one for each length of the endings that start inside a label (`*ample.com`), which hardly anybody has.
 */
export class ServerNameIndex<R extends StreamMatch> {
  readonly #byName = new Map<string, ProtocolIndex<R>>();
  readonly #bySuffix = new Map<string, ProtocolIndex<R>>();
  readonly #inLabel = new LengthCounts();

  get isEmpty(): boolean {
    return this.#byName.size === 0 && this.#bySuffix.size === 0;
  }

  /** @returns the route that `route` ties with, for this pattern, on everything but the id. */
  add({ kind, text }: ServerNamePattern, route: R): R | undefined {
    const indexes = kind === 'exact' ? this.#byName : this.#bySuffix;
    let index = indexes.get(text);
    if (index === undefined) {
      index = new ProtocolIndex();
      indexes.set(text, index);
      if (startsInLabel(kind, text)) this.#inLabel.add(text.length);
    }
    return index.add(route);
  }

  remove({ kind, text }: ServerNamePattern, route: R): void {
    const indexes = kind === 'exact' ? this.#byName : this.#bySuffix;
    const index = indexes.get(text);
    index?.remove(route);
    if (!index?.isEmpty) return;
    indexes.delete(text);
    if (startsInLabel(kind, text)) this.#inLabel.remove(text.length);
  }

  /** @param name normalized. The name itself goes first, then its endings, longest first. */
  find(name: string, lookup: Lookup, candidate: Candidate<R>): void {
    this.#byName.get(name)?.find(lookup, candidate);
    if (this.#bySuffix.size === 0) return;
    const lengths = this.#inLabel.descending;
    let next = 0;
    for (let dot = name.indexOf('.'); ; dot = name.indexOf('.', dot + 1)) {
      const start = dot === -1 ? name.length : dot;
      for (
        let length = lengths[next];
        length !== undefined && length > name.length - start;
        length = lengths[next]
      ) {
        if (length <= name.length) {
          this.#bySuffix.get(name.slice(-length))?.find(lookup, candidate);
        }
        next += 1;
      }
      this.#bySuffix.get(name.slice(start))?.find(lookup, candidate);
      if (dot === -1) return;
    }
  }
}

function startsInLabel(kind: ServerNamePattern['kind'], text: string): boolean {
  return kind === 'suffix' && text !== '' && !text.startsWith('.');
}

/** Which lengths there are. */
class LengthCounts {
  /** Longest first. */
  readonly descending: number[] = [];
  readonly #counts = new Map<number, number>();

  add(length: number): void {
    const count = this.#counts.get(length) ?? 0;
    this.#counts.set(length, count + 1);
    if (count > 0) return;
    this.descending.push(length);
    this.descending.sort((a, b) => b - a);
  }

  remove(length: number): void {
    const count = this.#counts.get(length) ?? 0;
    if (count > 1) {
      this.#counts.set(length, count - 1);
      return;
    }
    this.#counts.delete(length);
    this.descending.splice(this.descending.indexOf(length), 1);
  }
}
