import { linkPattern } from './link-pattern.ts';
import type { State, UnitState } from './link-pattern.ts';
import { parsePattern } from './parse-pattern.ts';
import { isWordUnit } from './place.ts';
import type { Before } from './place.ts';

/** A regular expression, for any number of texts, one after the other. */
export interface Pattern {
  /** Is it found anywhere in the text? Takes time in proportion to the length of the text, whatever the text is. */
  test(text: string): boolean;
}

/**
 * Compiles a regular expression of JavaScript, without look-around and back references, into an automaton. It is run through
 * a text in all its states at once, so that there is no going back: `^([a-z]+)*$` is as good as any other.
 * @throws SyntaxError with what is wrong, also for one that is too large.
 */
export function compilePattern(source: string, isCaseless: boolean): Pattern {
  return new Automaton(linkPattern(source, parsePattern(source, isCaseless)));
}

/** What is in a text before one of its units: all that decides how it goes on. */
interface Stage {
  readonly states: readonly State[];
  readonly before: Before;
  /** What comes after a unit; true: it is found, whatever comes. */
  readonly after: Map<number, Stage | true>;
  /** Is it found if the text ends here? Undefined: nobody has asked yet. */
  isFoundAtEnd: boolean | undefined;
}

/** Ways from stage to stage that are remembered, some 100 bytes each. Then all of them are forgotten. */
const MOST_WAYS = 1000;
/** Ways that one text may add: one that is made for it must not make remembering the greater part of the work. */
const MOST_NEW_WAYS = 100;

class Automaton implements Pattern {
  readonly #start: State;
  readonly #first: Stage;
  /** By their states and what is before. */
  readonly #stages = new Map<string, Stage>();
  #ways = 0;
  /** By state: the number of the look in which it was entered last. */
  readonly #entered: Float64Array;
  #look = 0;

  constructor({ start, size }: { readonly start: State; readonly size: number }) {
    this.#start = start;
    this.#first = newStage([], 'start');
    this.#entered = new Float64Array(size);
  }

  test(text: string): boolean {
    let stage = this.#first;
    let mayAdd = MOST_NEW_WAYS;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      let next = stage.after.get(unit);
      if (next === undefined) {
        next = this.#advance(stage, unit, mayAdd > 0);
        mayAdd -= 1;
      }
      if (next === true) return true;
      stage = next;
    }
    return (stage.isFoundAtEnd ??= this.#lookAt(stage, undefined) === undefined);
  }

  #advance(stage: Stage, unit: number, isKept: boolean): Stage | true {
    const waiting = this.#lookAt(stage, unit);
    const states = waiting && statesAfter(waiting, unit);
    const before = isWordUnit(unit) ? 'word' : 'other';
    if (!isKept) return states === undefined ? true : newStage(states, before);
    if (this.#ways === MOST_WAYS) this.#forget();
    this.#ways += 1;
    const next = states === undefined ? true : this.#stageOf(states, before);
    stage.after.set(unit, next);
    return next;
  }

  #stageOf(states: readonly State[], before: Before): Stage {
    const unique = [...new Set(states)].sort((left, right) => left.id - right.id);
    const key = `${before} ${unique.map(({ id }) => id).join(' ')}`;
    let stage = this.#stages.get(key);
    if (stage === undefined) {
      stage = newStage(unique, before);
      this.#stages.set(key, stage);
    }
    return stage;
  }

  #forget(): void {
    this.#stages.clear();
    this.#first.after.clear();
    this.#ways = 0;
  }

  /** @returns the states that wait for the next unit, undefined where the end was reached before it. */
  #lookAt({ states, before }: Stage, unit: number | undefined): UnitState[] | undefined {
    this.#look += 1;
    const waiting: UnitState[] = [];
    // A match may begin anywhere.
    if (this.#enter(this.#start, before, unit, waiting)) return undefined;
    for (const state of states) if (this.#enter(state, before, unit, waiting)) return undefined;
    return waiting;
  }

  /** @returns whether that was a match. */
  #enter(state: State, before: Before, unit: number | undefined, waiting: UnitState[]): boolean {
    if (this.#entered[state.id] === this.#look) return false;
    this.#entered[state.id] = this.#look;
    switch (state.kind) {
      case 'end':
        return true;
      case 'unit':
        waiting.push(state);
        return false;
      case 'place':
        return state.holds(before, unit) && this.#enter(state.next, before, unit, waiting);
      case 'fork':
        break;
    }
    for (const next of state.next) if (this.#enter(next, before, unit, waiting)) return true;
    return false;
  }
}

function statesAfter(waiting: readonly UnitState[], unit: number): readonly State[] {
  const states: State[] = [];
  for (const { accepts, next } of waiting) if (accepts(unit)) states.push(next);
  return states;
}

function newStage(states: readonly State[], before: Before): Stage {
  return { states, before, after: new Map(), isFoundAtEnd: undefined };
}
