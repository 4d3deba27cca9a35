import { isDeepStrictEqual as equals } from 'node:util';
import { isJsonObject } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { enumFault, textFaultFinder } from './text-keyword.ts';
import { jsonType, luaType } from './type-names.ts';

/** One failed keyword, in the reference's words. */
export interface Fault {
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  /** The member that is missing or surplus. */
  readonly member?: string;
}

type Describe = (
  rule: unknown,
  value: unknown,
  params: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
) => Fault;

/**
 * @param keyword the one that failed, in a schema made by `toAjvSchema`.
 * @param params ajv's facts about the failure.
 */
export function describeFault(
  keyword: string,
  params: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
  value: unknown,
): Fault {
  const describe = faults[keyword];
  if (describe === undefined) throw new TypeError(`no words for a failed "${keyword}"`);
  return describe(schema[keyword], value, params, schema);
}

const faults: Readonly<Record<string, Describe>> = {
  type: (types, value) => typeFault(types, value),
  kind: (types, value) => typeFault(types, value),

  text: (rules, value) => {
    const fault = isJsonObject(rules) ? textFaultFinder(rules)(String(value)) : undefined;
    return { message: 'wrong text', ...fault, found: show(value) };
  },

  minimum: (limit, value) => rangeFault('at least', limit, value),
  maximum: (limit, value) => rangeFault('at most', limit, value),
  exclusiveMinimum: (limit, value) => rangeFault('greater than', limit, value),
  exclusiveMaximum: (limit, value) => rangeFault('smaller than', limit, value),
  multipleOf: (unit, value) => rangeFault('a multiple of', unit, value),

  required: (_, __, { missingProperty }) => missingFault(missingProperty, ''),
  dependencies: (_, __, { missingProperty, property }) =>
    missingFault(missingProperty, ` when "${String(property)}" is set`),
  additionalProperties: (_, __, { additionalProperty }) => {
    const member = String(additionalProperty);
    return { message: `additional properties forbidden, found ${member}`, member };
  },
  minProperties: (limit) => sizeFault('object', 'at least', limit, 'properties'),
  maxProperties: (limit) => sizeFault('object', 'at most', limit, 'properties'),

  minItems: (limit) => sizeFault('array', 'at least', limit, 'items'),
  maxItems: (limit) => sizeFault('array', 'at most', limit, 'items'),
  additionalItems: () => ({ message: 'found unexpected extra items in array' }),
  contains: () => ({ message: 'failed to check contains' }),
  uniqueItems: (_, value) => {
    const [first, second] = equalItems(value);
    return {
      message: `expected unique items but items ${first} and ${second} are equal`,
      expected: 'unique items',
    };
  },

  enum: (values, value) => ({ ...enumFault(Array.isArray(values) ? values : []), found: show(value) }),
  const: (wanted, value) => ({
    message: 'failed to check const value',
    expected: show(wanted),
    found: show(value),
  }),

  anyOf: (branches) => ({ message: `object matches none of the required${requiredLists(branches)}` }),
  oneOf: (_, __, { passingSchemas }) => ({
    message: `value should match only one schema, but matches ${matchedSchemas(passingSchemas)}`,
  }),
  not: () => ({ message: "value wasn't supposed to match schema" }),
  'false schema': () => ({ message: 'expect false always' }),
};

function typeFault(types: unknown, value: unknown): Fault {
  const list = Array.isArray(types) ? types.join(', ') : String(types);
  const one = Array.isArray(types) && types.length > 1 ? 'one of ' : '';
  return {
    message: `wrong type: expected ${one}${list}, got ${luaType(value)}`,
    expected: one + list,
    found: jsonType(value),
  };
}

function rangeFault(relation: string, limit: unknown, value: unknown): Fault {
  const expected = `${relation} ${String(limit)}`;
  return { message: `expected ${String(value)} to be ${expected}`, expected, found: show(value) };
}

function missingFault(name: unknown, when: string): Fault {
  const member = String(name);
  return { message: `property "${member}" is required${when}`, expected: `"${member}"`, member };
}

function sizeFault(what: string, relation: string, limit: unknown, unit: string): Fault {
  const expected = `${relation} ${String(limit)} ${unit}`;
  return { message: `expect ${what} to have ${expected}`, expected };
}

/** Branches that demand members are told: `: ["a"] or ["a","b"]`. */
function requiredLists(branches: unknown): string {
  if (!Array.isArray(branches)) return '';
  const lists = branches.map(requiredOf).filter((list) => list !== undefined);
  return lists.length > 0 ? `: ${lists.map((list) => JSON.stringify(list)).join(' or ')}` : '';
}

/** A branch that combines other schemas keeps its own rules in the first step. */
function requiredOf(branch: unknown): unknown {
  if (typeof branch !== 'object' || branch === null) return undefined;
  if ('required' in branch) return branch.required;
  return 'inOrder' in branch && 'allOf' in branch && Array.isArray(branch.allOf)
    ? requiredOf(branch.allOf[0])
    : undefined;
}

function matchedSchemas(indexes: unknown): string {
  if (!Array.isArray(indexes)) return 'none';
  return `both schemas ${indexes.map((index) => Number(index) + 1).join(' and ')}`;
}

/** The positions of the first equal pair: the first repetition among single values, else the first repeated table. */
function equalItems(value: unknown): readonly number[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const second = items.findIndex((item, index) => luaType(item) !== 'table' && items.indexOf(item) < index);
  if (second !== -1) return [items.indexOf(items[second]) + 1, second + 1];
  const next = items.map((item, index) => items.findIndex((other, at) => at > index && equals(item, other)));
  const first = next.findIndex((index) => index !== -1);
  return [first + 1, (next[first] ?? 0) + 1];
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
