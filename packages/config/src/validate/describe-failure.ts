import type { ErrorObject } from 'ajv';
import type { CheckFailure } from './check-result.ts';
import { describeFault } from './describe-fault.ts';
import { isJsonObject } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { findError, validatorOf } from './validator.ts';

/** Where the walk from the root to the fault stands. */
interface Place {
  schema: unknown;
  value: unknown;
  path: (string | number)[];
  prefix: string;
}

/**
 * Puts the failure of a value into the reference's words. ajv's last error says where in the schema and in the value the
 * fault is; the walk there collects the prefixes (`property "x" validation failed: `), and the fault at its end says the
 * rest.
 */
export function describeFailure(error: ErrorObject, schema: JsonSchema, value: unknown): CheckFailure {
  const location = splitPointer(error.instancePath);
  const steps = splitPointer(error.schemaPath.slice(1)).map(decodeURIComponent);
  // The last step is the keyword that failed; the place is where that keyword stands.
  const keyword = steps.pop() ?? '';
  const place: Place = { schema: validatorOf(schema).translated, value, path: [], prefix: '' };
  while (steps.length > 0) {
    const [step] = steps;
    // A clause fails as a whole; what is wrong below it is not told.
    if (step === 'then' || step === 'else') {
      return { ok: false, message: `${place.prefix}${step} clause did not match`, path: place.path };
    }
    descend(place, steps, location);
  }

  const rules = members(place.schema);
  if (keyword === 'part') return describePart(members(rules['part']), place);
  const { message, member, ...facts } = describeFault(keyword, error.params, rules, place.value);
  const path = member === undefined ? place.path : [...place.path, member];
  return { ok: false, message: place.prefix + message, path, ...facts };
}

/** Of a part ajv only tells that it failed; asking again tells where. */
function describePart(schema: JsonSchema, { value, path, prefix }: Place): CheckFailure {
  const draft = { value };
  const error = findError(schema, draft);
  if (error === undefined) throw new TypeError('a value was refused, and not when asked why');
  const inner = describeFailure(error, schema, draft.value);
  return { ...inner, message: prefix + inner.message, path: [...path, ...inner.path] };
}

/** Takes one applied subschema off `steps`, and the member it is applied to off `location`. */
function descend(place: Place, steps: string[], location: string[]): void {
  const keyword = steps.shift() ?? '';
  const schema = members(place.schema);
  place.schema = schema[keyword];
  switch (keyword) {
    case 'properties': {
      const name = enterNamed(place, steps, location);
      place.prefix += `property "${name}" validation failed: `;
      return;
    }
    case 'patternProperties': {
      const pattern = steps[0] ?? '';
      const name = enterNamed(place, steps, location);
      place.prefix += `failed to validate ${name} (matching "${pattern}"): `;
      return;
    }
    case 'additionalProperties': {
      const name = enterMember(place, location);
      place.prefix += `failed to validate additional property ${name}: `;
      return;
    }
    case 'items':
    case 'additionalItems': {
      if (Array.isArray(place.schema)) place.schema = place.schema[Number(steps.shift())];
      const word = keyword === 'items' ? 'item' : 'additional item';
      place.prefix += `failed to validate ${word} ${enterItem(place, location) + 1}: `;
      return;
    }
    case 'dependencies': {
      const name = steps.shift() ?? '';
      place.schema = members(place.schema)[name];
      place.prefix += `failed to validate dependent schema for "${name}": `;
      return;
    }
    case 'allOf': {
      const index = Number(steps.shift());
      place.schema = Array.isArray(place.schema) ? place.schema[index] : undefined;
      if (schema['inOrder'] !== true) place.prefix += `allOf ${index + 1} failed: `;
      return;
    }
    default:
      // Every other keyword with subschemas fails as a whole, so ajv's last error stands at it and not below.
      throw new TypeError(`no way into the subschema of "${keyword}"`);
  }
}

/** Into the subschema that the schema has for this name or pattern. */
function enterNamed(place: Place, steps: string[], location: string[]): string {
  place.schema = members(place.schema)[steps.shift() ?? ''];
  return enterMember(place, location);
}

function enterMember(place: Place, location: string[]): string {
  const name = location.shift() ?? '';
  place.value = members(place.value)[name];
  place.path.push(name);
  return name;
}

function enterItem(place: Place, location: string[]): number {
  const index = Number(location.shift());
  place.value = Array.isArray(place.value) ? place.value[index] : undefined;
  place.path.push(index);
  return index;
}

function members(value: unknown): JsonSchema {
  return isJsonObject(value) ? value : {};
}

/** RFC 6901. */
function splitPointer(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
