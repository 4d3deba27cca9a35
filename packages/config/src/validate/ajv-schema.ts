import { isJsonObject } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { textRuleNames } from './text-keyword.ts';

/** A schema in the form ajv gets: `kind`, `text` and `part` are our keywords, `inOrder` marks an `allOf` that we made. */
export type AjvSchema = JsonSchema | boolean;

const plain = [
  'required',
  'minProperties',
  'maxProperties',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
] as const;
const nested = ['additionalProperties', 'items', 'additionalItems', 'contains'] as const;
const nestedByName = ['patternProperties', 'dependencies'] as const;
const combinations = [['allOf'], ['anyOf'], ['oneOf'], ['if', 'then', 'else'], ['not']] as const;

/**
 * A schema as the reference reads it, in ajv's terms: empty tables pass for either kind, references pass for strings,
 * and a value's own type and members are checked before the ways its schema combines others. Annotations are left
 * behind, so they may hold anything.
 * @throws TypeError for `$ref`, which no schema of ours uses.
 */
export function toAjvSchema(schema: unknown): AjvSchema {
  if (typeof schema === 'boolean') return schema;
  if (!isJsonObject(schema))
    throw new TypeError(`a JSON schema is an object or a boolean, not ${String(schema)}`);
  if ('$ref' in schema) throw new TypeError(`"$ref" is not supported in a JSON schema`);

  const steps: JsonSchema[] = [ownRules(schema), choice(schema)];
  for (const names of combinations) steps.push(mapMembers(schema, names, translate));
  const used = steps.filter((step) => Object.keys(step).length > 0);
  const translated = used.length > 1 ? { inOrder: true, allOf: used } : (used[0] ?? {});
  return 'default' in schema ? { ...translated, default: schema['default'] } : translated;
}

function ownRules(schema: JsonSchema): JsonSchema {
  const text = pick(schema, textRules(schema));
  return {
    ...typeRule(schema['type']),
    ...pick(schema, plain),
    ...mapMembers(schema, nested, translate),
    ...mapMembers(schema, ['properties'], (value) => translateEach(value, translateMember)),
    ...mapMembers(schema, nestedByName, (value) => translateEach(value, translateRule)),
    ...(Object.keys(text).length > 0 ? { text } : {}),
  };
}

function typeRule(type: unknown): JsonSchema {
  if (type === undefined) return {};
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.includes('object') || types.includes('array') ? { kind: types } : { type };
}

/** The values a string field may have can be replaced by a reference, like any other rule about its text. */
function textRules(schema: JsonSchema): readonly string[] {
  return schema['type'] === 'string' ? textRuleNames : textRuleNames.filter((name) => name !== 'enum');
}

function choice(schema: JsonSchema): JsonSchema {
  return pick(schema, schema['type'] === 'string' ? ['const'] : ['enum', 'const']);
}

function pick(schema: JsonSchema, names: readonly string[]): JsonSchema {
  return mapMembers(schema, names, (value) => value);
}

function mapMembers(
  schema: JsonSchema,
  names: readonly string[],
  map: (value: unknown) => unknown,
): JsonSchema {
  const used = names.filter((name) => schema[name] !== undefined);
  return Object.fromEntries(used.map((name) => [name, map(schema[name])]));
}

function translate(value: unknown): unknown {
  return Array.isArray(value) ? value.map(toAjvSchema) : toAjvSchema(value);
}

function translateEach(rules: unknown, map: (rule: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(rules ?? {}).map(([name, rule]) => [name, map(rule)]));
}

/** `dependencies` may name members instead of giving a schema. */
function translateRule(rule: unknown): unknown {
  return Array.isArray(rule) ? rule : toAjvSchema(rule);
}

const partSize = 4;

/**
 * A member with many of its own becomes a part: it is often absent, and expensive to compile into each of its users.
 * Without it, the three kinds of resources took twice as long to compile.
 */
function translateMember(schema: unknown): unknown {
  if (!isJsonObject(schema) || Object.keys(schema['properties'] ?? {}).length < partSize)
    return toAjvSchema(schema);
  return 'default' in schema ? { part: schema, default: schema['default'] } : { part: schema };
}
