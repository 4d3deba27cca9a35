import { describe, expect, test } from 'vitest';
import { findFaults } from './find-faults.ts';
import type { JsonSchema } from './json-schema.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    port: { type: 'integer', minimum: 1 },
    name: { type: 'string' },
    inner: { type: 'object', properties: { size: { type: 'integer' } }, required: ['size'] },
    list: { type: 'array', items: { type: 'integer' } },
  },
  required: ['name'],
  additionalProperties: false,
  anyOf: [{ required: ['port'] }, { required: ['inner'] }],
};

describe('finds in a value', () => {
  test.for([
    ['nothing', { name: 'a', port: 1 }, []],
    ['one fault for each key, in the order of the schema', { port: 0, name: 1 }, [['port'], ['name']]],
    ['what is missing', { port: 1, inner: {} }, [['name'], ['inner', 'size']]],
    ['a key that may not be there', { name: 'a', port: 1, prot: 1 }, [['prot']]],
    ['what concerns several keys', { name: 'a' }, [[]]],
    ['the first member of a list', { name: 'a', port: 1, list: [1, 'a', 'b'] }, [['list', 1]]],
    ['another type altogether, once', 'text', [[]]],
  ] as const)('%s', ([, value, paths]) => {
    expect(findFaults(schema, value).map(({ path }) => path)).toEqual(paths);
  });

  test('the same words as the check that stops at the first', () => {
    expect(findFaults(schema, { name: 'a', port: 0 })).toMatchObject([
      { message: 'property "port" validation failed: expected 0 to be at least 1', expected: 'at least 1' },
    ]);
  });
});
