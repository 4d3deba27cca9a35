import { parsePattern } from './parse-pattern.ts';
import type { PatternNode } from './parse-pattern.ts';

/** A regular expression, for any number of texts, one after the other. */
export interface Pattern {
  /** Is it found anywhere in the text? Takes time in proportion to the length of the text, whatever the text is. */
  test(text: string): boolean;
}

/** With as many, a text of 16 KiB takes milliseconds. */
const MOST_STATES = 1000;

/**
 * Compiles a regular expression of JavaScript, without look-around and back references, into an automaton. It is run through
 * a text in all its states at once, so that there is no going back: `^([a-z]+)*$` is as good as any other.
 * @throws SyntaxError with what is wrong, also for one that is too large.
 */
export function compilePattern(source: string, isCaseless: boolean): Pattern {
  return new Automaton(source, parsePattern(source, isCaseless));
}

type State = UnitState | PlaceState | ForkState | EndState;

interface UnitState {
  readonly kind: 'unit';
  readonly id: number;
  readonly next: State;
  readonly accepts: (unit: number) => boolean;
}

interface PlaceState {
  readonly kind: 'place';
  readonly id: number;
  readonly next: State;
  readonly holds: (text: string, at: number) => boolean;
}

interface ForkState {
  readonly kind: 'fork';
  readonly id: number;
  readonly next: State[];
}

interface EndState {
  readonly kind: 'end';
  readonly id: number;
}

class Automaton implements Pattern {
  readonly #source: string;
  readonly #start: State;
  #size = 0;
  /** By state: the place in the text, plus 1, where it was entered last. */
  readonly #entered: Uint32Array;

  constructor(source: string, node: PatternNode) {
    this.#source = source;
    this.#start = this.#link(node, { kind: 'end', id: this.#newId() });
    this.#entered = new Uint32Array(this.#size);
  }

  test(text: string): boolean {
    this.#entered.fill(0);
    let waiting: UnitState[] = [];
    let reached: UnitState[] = [];
    for (let at = 0; ; at++) {
      // A match may begin anywhere.
      if (this.#enter(this.#start, text, at, waiting)) return true;
      if (at === text.length) return false;
      const unit = text.charCodeAt(at);
      for (const state of waiting) {
        if (state.accepts(unit) && this.#enter(state.next, text, at + 1, reached)) return true;
      }
      waiting.length = 0;
      [waiting, reached] = [reached, waiting];
    }
  }

  /**
   * @param waiting takes the states with which the next unit is looked at.
   * @returns whether that was a match.
   */
  #enter(state: State, text: string, at: number, waiting: UnitState[]): boolean {
    if (this.#entered[state.id] === at + 1) return false;
    this.#entered[state.id] = at + 1;
    switch (state.kind) {
      case 'end':
        return true;
      case 'unit':
        waiting.push(state);
        return false;
      case 'place':
        return state.holds(text, at) && this.#enter(state.next, text, at, waiting);
      case 'fork':
        break;
    }
    return state.next.some((next) => this.#enter(next, text, at, waiting));
  }

  /** @returns where a part begins that goes on at `next`. */
  #link(node: PatternNode, next: State): State {
    switch (node.kind) {
      case 'unit':
        return { kind: 'unit', id: this.#newId(), next, accepts: node.accepts };
      case 'place':
        return { kind: 'place', id: this.#newId(), next, holds: node.holds };
      case 'sequence':
        return node.nodes.reduceRight((rest, part) => this.#link(part, rest), next);
      case 'choice':
        return this.#fork(node.nodes.map((part) => this.#link(part, next)));
      case 'repeat':
        break;
    }
    return this.#linkRepeat(node, next);
  }

  #linkRepeat({ node, least, most }: PatternNode & { readonly kind: 'repeat' }, next: State): State {
    if (most === Infinity) return this.#linkLoop(node, least, next);
    let start = next;
    for (let count = least; count < most; count++) {
      const part = this.#link(node, start);
      // Nothing, however often.
      if (part === start) return next;
      start = this.#fork([part, next]);
    }
    return this.#linkTimes(node, least, start);
  }

  #linkLoop(node: PatternNode, least: number, next: State): State {
    const loop = this.#fork([]);
    const part = this.#link(node, loop);
    loop.next.push(part, next);
    return least === 0 ? loop : this.#linkTimes(node, least - 1, part);
  }

  #linkTimes(node: PatternNode, times: number, next: State): State {
    let start = next;
    for (let count = 0; count < times; count++) {
      const part = this.#link(node, start);
      if (part === start) return next;
      start = part;
    }
    return start;
  }

  #fork(next: State[]): ForkState {
    return { kind: 'fork', id: this.#newId(), next };
  }

  #newId(): number {
    if (this.#size === MOST_STATES) {
      throw new SyntaxError(
        `Invalid regular expression: /${this.#source}/: it is too large, repeated parts counted as often as they are repeated`,
      );
    }
    return this.#size++;
  }
}
