import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileSchema } from './compile-schema.ts';
import type { JsonSchema } from './json-schema.ts';

interface Case {
  readonly rule: string;
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly message: string;
}

const object = { type: 'object' };
const string = { type: 'string' };
const integer = { type: 'integer' };

function oneOf(...branches: readonly unknown[]): JsonSchema {
  return { oneOf: branches };
}

function required(...names: readonly string[]): JsonSchema {
  return { required: names };
}

describe('the words for a fault', () => {
  test.for<Case>([
    { rule: 'type', schema: string, value: 5, message: 'wrong type: expected string, got number' },
    { rule: 'type', schema: string, value: null, message: 'wrong type: expected string, got userdata' },
    { rule: 'type', schema: string, value: undefined, message: 'wrong type: expected string, got nil' },
    { rule: 'type', schema: string, value: true, message: 'wrong type: expected string, got boolean' },
    { rule: 'type', schema: string, value: {}, message: 'wrong type: expected string, got table' },
    { rule: 'type', schema: integer, value: 1.5, message: 'wrong type: expected integer, got number' },
    { rule: 'type', schema: object, value: [1], message: 'wrong type: expected object, got table' },
    { rule: 'type', schema: object, value: 'x', message: 'wrong type: expected object, got string' },
    {
      rule: 'type',
      schema: { type: 'array' },
      value: { a: 1 },
      message: 'wrong type: expected array, got table',
    },
    {
      rule: 'types',
      schema: { type: ['string', 'integer'] },
      value: [],
      message: 'wrong type: expected one of string, integer, got table',
    },
    {
      rule: 'types with tables',
      schema: { type: ['string', 'object'] },
      value: 1,
      message: 'wrong type: expected one of string, object, got number',
    },
    {
      rule: 'properties',
      schema: { properties: { a: { properties: { 'b/c~%': string } } } },
      value: { a: { 'b/c~%': 1 } },
      message:
        'property "a" validation failed: property "b/c~%" validation failed: wrong type: expected string, got number',
    },
    { rule: 'required', schema: required('a', 'b'), value: { a: 1 }, message: 'property "b" is required' },
    {
      rule: 'required of an empty array',
      schema: { ...object, ...required('a') },
      value: [],
      message: 'property "a" is required',
    },
    {
      rule: 'additionalProperties: false',
      schema: { properties: { a: {} }, additionalProperties: false },
      value: { a: 1, b: 2 },
      message: 'additional properties forbidden, found b',
    },
    {
      rule: 'additionalProperties',
      schema: { properties: { a: {} }, additionalProperties: string },
      value: { a: 1, b: 2 },
      message: 'failed to validate additional property b: wrong type: expected string, got number',
    },
    {
      rule: 'patternProperties',
      schema: { patternProperties: { '^\\S+/$': string } },
      value: { 'a/': 1 },
      message: 'failed to validate a/ (matching "^\\S+/$"): wrong type: expected string, got number',
    },
    {
      rule: 'dependencies by name',
      schema: { dependencies: { a: ['b'] } },
      value: { a: 1 },
      message: 'property "b" is required when "a" is set',
    },
    {
      rule: 'dependencies by schema',
      schema: { dependencies: { a: { not: required('b') } } },
      value: { a: 1, b: 1 },
      message: 'failed to validate dependent schema for "a": value wasn\'t supposed to match schema',
    },
    {
      rule: 'minProperties',
      schema: { ...object, minProperties: 2 },
      value: { a: 1 },
      message: 'expect object to have at least 2 properties',
    },
    {
      rule: 'minProperties of an empty array',
      schema: { ...object, minProperties: 1 },
      value: [],
      message: 'expect object to have at least 1 properties',
    },
    {
      rule: 'maxProperties',
      schema: { maxProperties: 1 },
      value: { a: 1, b: 1 },
      message: 'expect object to have at most 1 properties',
    },
    {
      rule: 'items',
      schema: { items: { properties: { a: integer } } },
      value: [{}, { a: 'x' }],
      message:
        'failed to validate item 2: property "a" validation failed: wrong type: expected integer, got string',
    },
    {
      rule: 'items by position',
      schema: { items: [string, integer] },
      value: ['a', 'b'],
      message: 'failed to validate item 2: wrong type: expected integer, got string',
    },
    {
      rule: 'additionalItems: false',
      schema: { items: [string], additionalItems: false },
      value: ['a', 'b'],
      message: 'found unexpected extra items in array',
    },
    {
      rule: 'additionalItems',
      schema: { items: [string], additionalItems: integer },
      value: ['a', 'b'],
      message: 'failed to validate additional item 2: wrong type: expected integer, got string',
    },
    {
      rule: 'minItems of an empty object',
      schema: { type: 'array', minItems: 1 },
      value: {},
      message: 'expect array to have at least 1 items',
    },
    {
      rule: 'maxItems',
      schema: { maxItems: 1 },
      value: [1, 2],
      message: 'expect array to have at most 1 items',
    },
    {
      rule: 'uniqueItems, the first repetition',
      schema: { uniqueItems: true },
      value: [5, 6, 7, 6, 5],
      message: 'expected unique items but items 2 and 4 are equal',
    },
    {
      rule: 'uniqueItems, tables last',
      schema: { uniqueItems: true },
      value: [{ a: 1 }, 'x', { a: 1 }, 'x'],
      message: 'expected unique items but items 2 and 4 are equal',
    },
    {
      rule: 'uniqueItems of tables',
      schema: { uniqueItems: true },
      value: [[1], { a: 1, b: 2 }, { b: 2, a: 1 }],
      message: 'expected unique items but items 2 and 3 are equal',
    },
    { rule: 'contains', schema: { contains: string }, value: [1], message: 'failed to check contains' },
    {
      rule: 'minLength in characters',
      schema: { ...string, minLength: 3 },
      value: 'é😀',
      message: 'string too short, expected at least 3, got 2',
    },
    {
      rule: 'maxLength in characters',
      schema: { ...string, maxLength: 2 },
      value: '😀😀😀',
      message: 'string too long, expected at most 2, got 3',
    },
    {
      rule: 'pattern',
      schema: { pattern: '^[a-z"]\\S+$' },
      value: 'A"\\',
      message: String.raw`failed to match pattern "^[a-z\"]\\S+$" with "A\"\\"`,
    },
    {
      rule: 'format',
      schema: { format: 'ipv4' },
      value: '1.2',
      message: 'expect valid ipv4 address but got: 1.2',
    },
    { rule: 'minimum', schema: { minimum: 1 }, value: 0.5, message: 'expected 0.5 to be at least 1' },
    { rule: 'maximum', schema: { maximum: 9 }, value: 10, message: 'expected 10 to be at most 9' },
    {
      rule: 'exclusiveMinimum',
      schema: { exclusiveMinimum: 0 },
      value: 0,
      message: 'expected 0 to be greater than 0',
    },
    {
      rule: 'exclusiveMaximum',
      schema: { exclusiveMaximum: 1 },
      value: 1,
      message: 'expected 1 to be smaller than 1',
    },
    { rule: 'multipleOf', schema: { multipleOf: 5 }, value: 7, message: 'expected 7 to be a multiple of 5' },
    { rule: 'enum', schema: { enum: [1, 2] }, value: 3, message: 'matches none of the enum values' },
    {
      rule: 'enum of text',
      schema: { ...string, enum: ['a'] },
      value: 'b',
      message: 'matches none of the enum values',
    },
    { rule: 'const', schema: { const: 1 }, value: 2, message: 'failed to check const value' },
    {
      rule: 'anyOf',
      schema: { anyOf: [string, object] },
      value: 1,
      message: 'object matches none of the required',
    },
    {
      rule: 'anyOf of required lists',
      schema: { anyOf: [required('a'), { ...object, ...required('a', 'b'), not: required('c') }] },
      value: {},
      message: 'object matches none of the required: ["a"] or ["a","b"]',
    },
    {
      rule: 'oneOf, none',
      schema: oneOf(string, object),
      value: 1,
      message: 'value should match only one schema, but matches none',
    },
    {
      rule: 'oneOf, both',
      schema: oneOf(string, required('a'), required('b')),
      value: { a: 1, b: 1 },
      message: 'value should match only one schema, but matches both schemas 2 and 3',
    },
    {
      rule: 'allOf',
      schema: { allOf: [string, { maxLength: 2 }] },
      value: 'abc',
      message: 'allOf 2 failed: string too long, expected at most 2, got 3',
    },
    { rule: 'not', schema: { not: string }, value: 'a', message: "value wasn't supposed to match schema" },
    {
      rule: 'then',
      // oxlint-disable-next-line unicorn/no-thenable -- the name of the keyword
      schema: { if: required('a'), then: required('b') },
      value: { a: 1 },
      message: 'then clause did not match',
    },
    {
      rule: 'else',
      schema: { if: required('a'), else: required('b') },
      value: {},
      message: 'else clause did not match',
    },
    {
      rule: 'false',
      schema: { properties: { a: false } },
      value: { a: 1 },
      message: 'property "a" validation failed: expect false always',
    },
  ])('$rule: $message', ({ schema, value, message }) => {
    expect(compileSchema(schema)(value)).toMatchObject({ ok: false, message });
  });

  test('come from the members before the ways a schema combines others', () => {
    const check = compileSchema({ ...oneOf(required('b')), properties: { a: string }, enum: [1] });

    expect(check({ a: 1 })).toMatchObject({
      message: 'property "a" validation failed: wrong type: expected string, got number',
    });
  });

  test('reach into a member that is compiled on its own', () => {
    const large = { ...object, properties: { a: integer, b: integer, c: integer, d: integer } };
    const check = compileSchema({ properties: { first: large, second: large } });

    expect(check({ first: { a: 1 }, second: { d: 'x' } })).toEqual({
      ok: false,
      message:
        'property "second" validation failed: property "d" validation failed: wrong type: expected integer, got string',
      path: ['second', 'd'],
      expected: 'integer',
      found: 'string',
    });
  });
});

describe('the place and the two sides of a fault', () => {
  test.for([
    [{ ...object }, 'x', { path: [], expected: 'object', found: 'string' }],
    [
      { properties: { a: { items: { minimum: 1 } } } },
      { a: [1, 0] },
      { path: ['a', 1], expected: 'at least 1', found: '0' },
    ],
    [{ properties: { a: required('b') } }, { a: {} }, { path: ['a', 'b'], expected: '"b"' }],
    [{ properties: {}, additionalProperties: false }, { c: 1 }, { path: ['c'] }],
    [{ enum: ['a', 1] }, 'b', { path: [], expected: 'one of "a", 1', found: '"b"' }],
  ] as const)('%j refuses %j', ([schema, value, facts]) => {
    const { ok, message, ...rest } = { message: '', ...compileSchema(schema)(value) };

    expect({ ok, message: typeof message }).toEqual({ ok: false, message: 'string' });
    expect(rest).toEqual(facts);
  });
});

describe('what passes', () => {
  test('a whole number, however it is written', () => {
    expect(compileSchema(integer)(JSON.parse('1.0'))).toEqual({ ok: true, value: 1 });
  });

  test('an empty array for an object and the other way round, each put right in the copy', () => {
    const check = compileSchema({ ...object, properties: { list: { type: 'array' }, map: object } });

    expect(check({ list: {}, map: [] })).toEqual({ ok: true, value: { list: [], map: {} } });
    expect(check([])).toEqual({ ok: true, value: {} });
  });

  test.for(['$secret://vault/1/a', '$env://KEY', '$ENV://KEY'])('%s for any string', (value) => {
    const text = { ...string, maxLength: 3, pattern: '^a', enum: ['a'] };

    expect(compileSchema(text)(value)).toEqual({ ok: true, value });
    expect(compileSchema(integer)(value)).toMatchObject({ ok: false });
  });

  test.for(['$SECRET://a', '$env:/a', ' $env://a'])('%s for no reference', (value) => {
    expect(compileSchema({ ...string, maxLength: 3 })(value)).toMatchObject({ ok: false });
  });

  test('annotations of any kind in a schema', () => {
    const schema = { $schema: 'x', id: 7, title: 1, encrypt_fields: ['a'], type: 'string' };

    expect(compileSchema(schema)('a')).toEqual({ ok: true, value: 'a' });
  });
});

describe('the copy', () => {
  test('has the defaults of members, also of nested ones and of items', () => {
    const inner = { properties: { a: { ...integer, default: 1 } } };
    const check = compileSchema({
      properties: {
        ...inner.properties,
        nested: inner,
        list: { items: inner },
        absent: inner,
        map: { default: {} },
      },
      required: ['nested'],
    });

    const value = { a: 2, nested: {}, list: [{}, { a: 3 }] };
    expect(check(value)).toEqual({
      ok: true,
      value: { a: 2, nested: { a: 1 }, list: [{ a: 1 }, { a: 3 }], map: {} },
    });
    expect(value).toEqual({ a: 2, nested: {}, list: [{}, { a: 3 }] });
  });

  test('keeps a member named __proto__ as a member', () => {
    const value: unknown = JSON.parse('{"__proto__":{"a":1}}');

    const result = compileSchema({})(value);

    expect(JSON.stringify(result)).toBe('{"ok":true,"value":{"__proto__":{"a":1}}}');
  });

  test('stops at a depth that no configuration has', () => {
    const deep: unknown = JSON.parse('['.repeat(2000) + ']'.repeat(2000));

    expect(compileSchema({})(deep)).toEqual({
      ok: false,
      message: 'nested more than 1000 levels deep',
      path: [],
    });
  });
});

describe('a schema', () => {
  test('that is the same object gives the same check', () => {
    expect(compileSchema(string)).toBe(compileSchema(string));
  });

  test('with a $ref is a mistake of ours', () => {
    expect(() => compileSchema({ $ref: '#/x' })(1)).toThrow(TypeError);
  });
});

describe('for every JSON value', () => {
  const everything: JsonSchema = {
    type: ['object', 'array', 'string', 'number'],
    minimum: 0,
    minLength: 1,
    pattern: '^[a-z]',
    uniqueItems: true,
    minItems: 1,
    items: { anyOf: [{ ...object, ...required('a') }, { type: 'array' }, string] },
    properties: {
      a: { ...object, properties: { b: { ...string, default: 'x' } } },
      b: { type: 'array', default: [] },
    },
    patternProperties: { '^c': { oneOf: [string, integer, object] } },
    dependencies: { a: ['b'], c: required('d') },
    maxProperties: 3,
    not: { const: 'b' },
    if: object,
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the keyword
    then: { additionalProperties: { allOf: [{ type: ['object', 'array', 'integer'] }] } },
  };
  const values = fc.object({
    key: fc.constantFrom('a', 'b', 'c', '__proto__', 'd/e~'),
    withNullPrototype: false,
  });
  const json = fc.oneof(
    fc.jsonValue(),
    values.map(toJson),
    fc.constantFrom<unknown>([], {}, [[]], { a: [] }),
  );

  test('a check answers, and changes nothing', () => {
    fc.assert(
      fc.property(json, (value) => {
        const before = JSON.stringify(value);
        const result = compileSchema(everything)(value);
        expect(JSON.stringify(value)).toBe(before);
        expect(typeof result.ok).toBe('boolean');
      }),
    );
  });

  test('what passed passes again, and stays as it is', () => {
    fc.assert(
      fc.property(json, (value) => {
        const result = compileSchema(everything)(value);
        if (result.ok) expect(compileSchema(everything)(result.value)).toEqual(result);
      }),
    );
  });

  function toJson(value: unknown): unknown {
    return JSON.parse(
      JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? 1 : member)),
    );
  }
});
