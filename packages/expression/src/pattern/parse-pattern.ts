import { isEnd, isStart, isWordEdge } from './place.ts';
import type { PlaceTest } from './place.ts';

/** A part of a regular expression. Texts are UTF-16 units, as in JavaScript without the flag `u`. */
export type PatternNode =
  | { readonly kind: 'unit'; readonly accepts: (unit: number) => boolean }
  | { readonly kind: 'place'; readonly holds: PlaceTest }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly least: number; readonly most: number };

/** So that groups within groups stay within the stack. */
const MOST_CHARACTERS = 1024;

/**
 * Reads a regular expression of JavaScript, without what takes a memory of the way to a match: look-around and back
 * references. What would silently be something else than it is in PCRE, such as `\A` or `[[:alpha:]]`, is refused too.
 * @throws SyntaxError
 */
export function parsePattern(source: string, isCaseless: boolean): PatternNode {
  if (source.length > MOST_CHARACTERS) {
    throw new SyntaxError(
      `Invalid regular expression: expected at most ${MOST_CHARACTERS} characters, found ${source.length}`,
    );
  }
  // Says what is wrong with any other.
  void new RegExp(source);
  return new PatternParser(source, isCaseless ? 'i' : '').parse();
}

const escape = /\\(?:c[A-Za-z]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|0(?![0-9])|[bBdDfnrsStvwW]|[^0-9A-Za-z])/y;
const anyEscape = /\\[^]/y;
const classText = /\[(?:[^\]\\]|\\[^])*\]/y;
const namedClass = /\[:\^?[a-z]+:/;
const quantifier = /(?:([*+?])|\{([0-9]+)(,?)([0-9]*)\})\??/y;
const groupStart = /\((?:\?:|\?<(?![=!])[^>]*>|(?!\?))/y;
const unitText = /[^]/y;

/** Only sees what JavaScript takes. */
class PatternParser {
  readonly #source: string;
  readonly #flags: string;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags;
  }

  parse(): PatternNode {
    const first = this.#parseSequence();
    if (this.#take('|') === undefined) return first;
    const nodes = [first];
    do nodes.push(this.#parseSequence());
    while (this.#take('|') !== undefined);
    return { kind: 'choice', nodes };
  }

  #parseSequence(): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.#at < this.#source.length && !'|)'.includes(this.#source.charAt(this.#at))) {
      nodes.push(this.#parseRepeat(this.#parseOne()));
    }
    return { kind: 'sequence', nodes };
  }

  #parseRepeat(node: PatternNode): PatternNode {
    const found = this.#match(quantifier);
    if (found === undefined) return node;
    const [, sign, least = '', comma, most] = found;
    if (sign !== undefined) {
      return { kind: 'repeat', node, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity };
    }
    const end = comma === '' ? least : most === '' ? Infinity : most;
    return { kind: 'repeat', node, least: Number(least), most: Number(end) };
  }

  #parseOne(): PatternNode {
    switch (this.#source.charAt(this.#at)) {
      case '(':
        return this.#parseGroup();
      case '^':
        this.#at++;
        return { kind: 'place', holds: isStart };
      case '$':
        this.#at++;
        return { kind: 'place', holds: isEnd };
      case '\\':
        return this.#parseEscape();
      case '[':
        return this.#parseClass();
      default:
        return unitNode(this.#match(unitText)?.[0] ?? '', this.#flags);
    }
  }

  #parseGroup(): PatternNode {
    if (this.#match(groupStart) === undefined) {
      this.#refuse(this.#source.slice(this.#at, this.#at + 3));
    }
    const node = this.parse();
    this.#take(')');
    return node;
  }

  #parseEscape(): PatternNode {
    const text = this.#match(escape)?.[0] ?? this.#refuse(this.#source.slice(this.#at, this.#at + 2));
    if (text !== '\\b' && text !== '\\B') return unitNode(text, this.#flags);
    const isEdge = text === '\\b';
    return { kind: 'place', holds: (before, unit) => isWordEdge(before, unit) === isEdge };
  }

  #parseClass(): PatternNode {
    const text = this.#match(classText)?.[0] ?? '';
    const named = namedClass.exec(text);
    if (named !== null) this.#refuse(`[${named[0]}]]`);
    for (let at = 0; at < text.length; at++) {
      if (text.charAt(at) !== '\\') continue;
      const found = textAt(escape, text, at);
      if (found === undefined || found === '\\B') this.#refuse(textAt(anyEscape, text, at) ?? '');
      at += found.length - 1;
    }
    return unitNode(text, this.#flags);
  }

  #refuse(what: string): never {
    throw new SyntaxError(`Invalid regular expression: /${this.#source}/: ${what} is not available`);
  }

  #take(character: string): string | undefined {
    if (this.#source.charAt(this.#at) !== character) return undefined;
    this.#at++;
    return character;
  }

  #match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at;
    const found = form.exec(this.#source);
    if (found === null) return undefined;
    this.#at = form.lastIndex;
    return found;
  }
}

function textAt(form: RegExp, text: string, at: number): string | undefined {
  form.lastIndex = at;
  return form.exec(text)?.[0];
}

/** JavaScript itself says which units a class or escape stands for, and which are one without regard to case. */
function unitNode(text: string, flags: string): PatternNode {
  if (flags === '' && text.length === 1 && text !== '.') {
    const only = text.charCodeAt(0);
    return { kind: 'unit', accepts: (unit) => unit === only };
  }
  const form = new RegExp(`^${text}$`, flags);
  const known = new Map<number, boolean>();
  return {
    kind: 'unit',
    accepts(unit) {
      const isKnown = known.get(unit);
      if (isKnown !== undefined) return isKnown;
      const isAccepted = form.test(String.fromCharCode(unit));
      if (unit < MOST_KNOWN) known.set(unit, isAccepted);
      return isAccepted;
    },
  };
}

/** Those of ASCII. */
const MOST_KNOWN = 128;
