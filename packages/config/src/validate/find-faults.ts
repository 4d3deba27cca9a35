import type { CheckFailure } from './check-result.ts';
import { compileSchema } from './compile-schema.ts';
import { isJsonObject } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/**
 * All that a schema finds wrong with a value, where `compileSchema` stops at the first: one fault for each key, in the
 * order of the schema. Members of lists, and what stands below `anyOf` and the like, count as one.
 * @returns an empty list for what passes.
 */
export function findFaults(schema: JsonSchema, value: unknown): readonly CheckFailure[] {
  const whole = compileSchema(schema)(value);
  if (whole.ok) return [];
  const faults = new Map<string, CheckFailure>();
  for (const part of partsOf(schema)) {
    const result = compileSchema(part)(value);
    const place = result.ok ? '' : JSON.stringify(result.path);
    if (!result.ok && !faults.has(place)) faults.set(place, result);
  }
  return faults.size === 0 ? [whole] : [...faults.values()];
}

const knownParts = new WeakMap<JsonSchema, readonly JsonSchema[]>();

/** Schemas that together say what one says, each about a single key. The same objects for the same schema. */
function partsOf(schema: JsonSchema): readonly JsonSchema[] {
  const known = knownParts.get(schema);
  if (known !== undefined) return known;
  const parts = [...split(schema)];
  knownParts.set(schema, parts);
  return parts;
}

function* split(schema: JsonSchema): Generator<JsonSchema> {
  const { properties, required, ...own } = schema;
  if (!isJsonObject(properties)) {
    yield schema;
    return;
  }
  const { type } = own;
  const holder = type === undefined ? {} : { type };
  for (const name of Array.isArray(required) ? required : []) yield { ...holder, required: [name] };
  for (const [name, member] of Object.entries(properties)) {
    if (!isJsonObject(member)) continue;
    for (const part of split(member)) yield { ...holder, properties: { [name]: part } };
  }
  // What concerns several keys, and which keys there may be.
  yield { ...own, properties: Object.fromEntries(Object.keys(properties).map((name) => [name, {}])) };
}
