import { compilePattern } from './pattern/compile-pattern.ts';

/** The value of a variable; undefined: it has none. */
export type ReadVariable = (name: string) => string | number | undefined;

/** Whether something holds for these variables. */
export type Condition = (read: ReadVariable) => boolean;

export type ParsedExpression =
  | { readonly holds: Condition }
  | {
      /** What is wrong, in the words of APISIX's expression library where it has any. */
      readonly fault: string;
    };

/** Whether an address is among some; undefined: one of those is no address or range. */
export type AddressTest = (texts: readonly string[]) => ((address: string) => boolean) | undefined;

/**
 * Makes a function of an expression over variables, as `vars` of a route and `_meta.filter` of a plugin have it: a list of
 * conditions that all have to hold, or `["OR", condition, condition, …]`. A condition is `[variable, operator, value]`,
 * `[variable, "!", operator, value]`, `[variable, value]`, or such a list or combination again. Nothing always holds.
 * @param addressTest for `ipmatch`.
 */
export function parseExpression(vars: readonly unknown[], addressTest: AddressTest): ParsedExpression {
  const parser = new ExpressionParser(addressTest);
  try {
    return { holds: parser.parse(vars) };
  } catch (error) {
    if (error instanceof SyntaxError) return { fault: error.message };
    throw error;
  }
}

type Comparison = (value: string | number | undefined) => boolean;

const combinations: Readonly<Record<string, { readonly isAny: boolean; readonly isNegated: boolean }>> = {
  AND: { isAny: false, isNegated: false },
  OR: { isAny: true, isNegated: false },
  '!AND': { isAny: false, isNegated: true },
  '!OR': { isAny: true, isNegated: true },
};

class ExpressionParser {
  readonly #addressTest: AddressTest;

  constructor(addressTest: AddressTest) {
    this.#addressTest = addressTest;
  }

  parse(vars: readonly unknown[]): Condition {
    return this.#combination(vars) ?? this.#all(vars);
  }

  #condition(condition: unknown): Condition {
    if (!Array.isArray(condition)) throw new SyntaxError('rule should be wrapped inside brackets');
    const parts: readonly unknown[] = condition;
    return Array.isArray(parts[0]) ? this.#all(parts) : (this.#combination(parts) ?? this.#comparison(parts));
  }

  #all(conditions: readonly unknown[]): Condition {
    const parts = conditions.map((condition) => this.#condition(condition));
    return (read) => parts.every((part) => part(read));
  }

  #combination([name, ...conditions]: readonly unknown[]): Condition | undefined {
    const kind = typeof name === 'string' ? combinations[name.toUpperCase()] : undefined;
    if (kind === undefined) return undefined;
    if (conditions.length < 2) throw new SyntaxError('rule too short');
    const { isAny, isNegated } = kind;
    const parts = conditions.map((condition) => this.#condition(condition));
    return isAny
      ? (read) => parts.some((part) => part(read)) !== isNegated
      : (read) => parts.every((part) => part(read)) !== isNegated;
  }

  #comparison(parts: readonly unknown[]): Condition {
    if (parts.length < 2) throw new SyntaxError('rule too short');
    const [name, ...rest] = parts;
    if (typeof name !== 'string' || rest.length > 3) throw new SyntaxError('invalid expression');
    const isNegated = rest.length === 3;
    if (isNegated && rest.shift() !== '!') throw new SyntaxError("bad 'not' expression");
    const [operator, value] = rest.length === 1 && !isOperator(rest[0]) ? ['==', rest[0]] : rest;
    const compare = this.#operation(operator, value ?? undefined);
    return (read) => compare(read(name)) !== isNegated;
  }

  #operation(operator: unknown, wanted: unknown): Comparison {
    if (!isOperator(operator)) {
      throw new SyntaxError(
        `invalid operator '${typeof operator === 'string' ? operator : JSON.stringify(operator)}'`,
      );
    }
    const name = operator.toLowerCase();
    const simple = comparisons[name];
    if (simple !== undefined) return simple(wanted);
    return name === 'ipmatch' ? this.#addressMatch(wanted) : patternMatch(wanted, name === '~*');
  }

  #addressMatch(wanted: unknown): Comparison {
    const texts: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    const test = texts.every((text) => typeof text === 'string') ? this.#addressTest(texts) : undefined;
    if (test === undefined) throw new SyntaxError('invalid ip address');
    return (value) => typeof value === 'string' && test(value);
  }
}

/** What remains after the operators with texts of their own. */
const comparisons: Readonly<Record<string, (wanted: unknown) => Comparison>> = {
  '==': (wanted) => (value) => isEqual(value, wanted),
  '~=': (wanted) => (value) => !isEqual(value, wanted),
  '>': (wanted) => ordering(wanted, (left, right) => left > right),
  '>=': (wanted) => ordering(wanted, (left, right) => left >= right),
  '<': (wanted) => ordering(wanted, (left, right) => left < right),
  '<=': (wanted) => ordering(wanted, (left, right) => left <= right),
  in: (wanted) => {
    const list: readonly unknown[] = Array.isArray(wanted) ? wanted : [];
    return (value) => value !== undefined && list.some((one) => isEqual(value, one));
  },
  // Of an array, which no variable is.
  has: () => () => false,
};

function isOperator(operator: unknown): operator is string {
  if (typeof operator !== 'string') return false;
  const name = operator.toLowerCase();
  return Object.hasOwn(comparisons, name) || ['~~', '~*', 'ipmatch'].includes(name);
}

/** With a number, a text is one as well; undefined is what has no value. */
function isEqual(value: string | number | undefined, wanted: unknown): boolean {
  if (typeof wanted === 'number') return toNumber(value) === wanted;
  return value === undefined ? wanted === undefined : String(value) === wanted;
}

/** What is not a number is neither more nor less. */
function ordering(wanted: unknown, compare: (left: number, right: number) => boolean): Comparison {
  const right = toNumber(wanted);
  if (right === undefined) return () => false;
  return (value) => {
    const left = toNumber(value);
    return left !== undefined && compare(left, right);
  };
}

/** No two parts of it take the same characters: it is read once, however long the text is. */
const decimal = /^\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?\s*$/i;

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && decimal.test(value) ? Number(value) : undefined;
}

function patternMatch(wanted: unknown, isCaseless: boolean): Comparison {
  if (typeof wanted !== 'string') throw new SyntaxError('a regular expression should be a string');
  const pattern = compilePattern(wanted, isCaseless);
  return (value) => value !== undefined && pattern.test(String(value));
}
