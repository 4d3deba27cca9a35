import type { PatternNode } from './parse-pattern.ts';
import type { PlaceTest } from './place.ts';

/** Where a search may be. Each knows where it goes on. */
export type State = UnitState | PlaceState | ForkState | EndState;

export interface UnitState {
  readonly kind: 'unit';
  /** From 0, each once in its pattern. */
  readonly id: number;
  readonly next: State;
  readonly accepts: (unit: number) => boolean;
}

export interface PlaceState {
  readonly kind: 'place';
  readonly id: number;
  readonly next: State;
  readonly holds: PlaceTest;
}

export interface ForkState {
  readonly kind: 'fork';
  readonly id: number;
  readonly next: readonly State[];
}

export interface EndState {
  readonly kind: 'end';
  readonly id: number;
}

/** The time for a text grows with them where every part of the pattern fits: some 100 ms for 16 KiB, with as many. */
const MOST_STATES = 500;

/**
 * Makes states of a regular expression, repeated parts as often as they are repeated.
 * @param source for the message.
 * @returns where it begins, and how many there are. @throws SyntaxError when these would be too many.
 */
export function linkPattern(
  source: string,
  node: PatternNode,
): { readonly start: State; readonly size: number } {
  const linker = new PatternLinker(source);
  return { start: linker.link(node, { kind: 'end', id: linker.newId() }), size: linker.size };
}

class PatternLinker {
  readonly #source: string;
  size = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** @returns where a part begins that goes on at `next`. */
  link(node: PatternNode, next: State): State {
    switch (node.kind) {
      case 'unit':
        return { kind: 'unit', id: this.newId(), next, accepts: node.accepts };
      case 'place':
        return { kind: 'place', id: this.newId(), next, holds: node.holds };
      case 'sequence':
        return node.nodes.reduceRight((rest, part) => this.link(part, rest), next);
      case 'choice':
        return this.#fork(node.nodes.map((part) => this.link(part, next)));
      case 'repeat':
        break;
    }
    return this.#linkRepeat(node, next);
  }

  newId(): number {
    if (this.size === MOST_STATES) {
      throw new SyntaxError(
        `Invalid regular expression: /${this.#source}/: it is too large, repeated parts counted as often as they are repeated`,
      );
    }
    return this.size++;
  }

  #linkRepeat({ node, least, most }: PatternNode & { readonly kind: 'repeat' }, next: State): State {
    if (most === Infinity) return this.#linkLoop(node, least, next);
    let start = next;
    for (let count = least; count < most; count++) {
      const part = this.link(node, start);
      // Nothing, however often.
      if (part === start) return next;
      start = this.#fork([part, next]);
    }
    return this.#linkTimes(node, least, start);
  }

  #linkLoop(node: PatternNode, least: number, next: State): State {
    const ways: State[] = [];
    const loop = this.#fork(ways);
    const part = this.link(node, loop);
    ways.push(part, next);
    return least === 0 ? loop : this.#linkTimes(node, least - 1, part);
  }

  #linkTimes(node: PatternNode, times: number, next: State): State {
    let start = next;
    for (let count = 0; count < times; count++) {
      const part = this.link(node, start);
      if (part === start) return next;
      start = part;
    }
    return start;
  }

  #fork(next: readonly State[]): ForkState {
    return { kind: 'fork', id: this.newId(), next };
  }
}
