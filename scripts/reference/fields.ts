import { isJsonObject } from '../../packages/config/src/validate/json-schema.ts';
import type { JsonSchema } from '../../packages/config/src/validate/json-schema.ts';

/** A row of a table: a field that somebody may write. */
export interface FieldRow {
  /** `nodes[].host`. */
  readonly field: string;
  /** What it may be, in words. */
  readonly value: string;
  readonly isRequired: boolean;
  /** As JSON; undefined: there is none. */
  readonly byDefault: string | undefined;
}

/** Schemas that have a section of their own, with a link to it, so that they are not repeated within others. */
export type Sections = ReadonlyMap<JsonSchema, string>;

/** The fields of an object, those of objects within it after it. A map without members of its own is one row. */
export function fieldRows(schema: JsonSchema, sections: Sections, prefix = ''): FieldRow[] {
  const required = new Set(listOf(schema['required']));
  return Object.entries(membersOf(schema)).flatMap(([name, member]) => {
    const field = `${prefix}${name}`;
    const row = {
      field,
      value: valueOf(member, sections),
      isRequired: required.has(name),
      byDefault: member['default'] === undefined ? undefined : JSON.stringify(member['default']),
    };
    const within = sections.has(member) ? [] : rowsWithin(member, sections, field);
    const isOnlyMembers = member['type'] === 'object' && within.length > 0;
    return isOnlyMembers && !row.isRequired ? within : [row, ...within];
  });
}

function rowsWithin(schema: JsonSchema, sections: Sections, field: string): FieldRow[] {
  const items = schema['items'];
  return [
    ...fieldRows(schema, sections, `${field}.`),
    ...(isJsonObject(items) ? rowsWithin(items, sections, `${field}[]`) : []),
    ...alternativesOf(schema).flatMap((alternative) => rowsWithin(alternative, sections, field)),
  ];
}

/** A description of ours says what is expected, so it is all that there is to say. */
function valueOf(schema: JsonSchema, sections: Sections): string {
  const section = sections.get(schema);
  if (section !== undefined) return section;
  const written = schema['description'] ?? schema['title'];
  if (typeof written === 'string') return written;
  const choices = listOf(schema['enum']);
  if (choices.length > 0) return choices.map((choice) => `\`${shown(choice)}\``).join(', ');
  const alternatives = alternativesOf(schema).map((alternative) => valueOf(alternative, sections));
  if (alternatives.length > 0) return [...new Set(alternatives)].join(' or ');
  const types = [schema['type']].flat().map((type) => typedValue(shown(type), schema, sections));
  return types.join(' or ');
}

function typedValue(type: string, schema: JsonSchema, sections: Sections): string {
  if (type === 'array') return listValue(schema, sections);
  if (type === 'string') return textValue(schema);
  if (type === 'integer' || type === 'number') return `${type}${rangeOf(schema)}`;
  return type;
}

function listValue(schema: JsonSchema, sections: Sections): string {
  const items = schema['items'];
  const of = isJsonObject(items) ? ` of ${valueOf(items, sections)}` : '';
  const range = spanOf(schema['minItems'], schema['maxItems']);
  return [`list${of}`, range, schema['uniqueItems'] === true ? 'each once' : ''].filter(Boolean).join(', ');
}

function textValue(schema: JsonSchema): string {
  const length = spanOf(schema['minLength'], schema['maxLength']);
  const pattern = schema['pattern'] === undefined ? '' : `like \`${shown(schema['pattern'])}\``;
  return ['text', length && `${length} characters`, pattern].filter(Boolean).join(', ');
}

function rangeOf(schema: JsonSchema): string {
  if (schema['exclusiveMinimum'] === undefined) {
    const span = spanOf(schema['minimum'], schema['maximum']);
    return span && ` ${span}`;
  }
  const most = schema['maximum'] === undefined ? '' : `, at most ${shown(schema['maximum'])}`;
  return ` above ${shown(schema['exclusiveMinimum'])}${most}`;
}

function spanOf(least: unknown, most: unknown): string {
  if (least === undefined && most === undefined) return '';
  if (most === undefined) return `at least ${shown(least)}`;
  return least === undefined ? `at most ${shown(most)}` : `${shown(least)} to ${shown(most)}`;
}

/** The schemas of an object's members, by name. */
export function membersOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const members = schema['properties'];
  if (!isJsonObject(members)) return {};
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, JsonSchema] => isJsonObject(entry[1])),
  );
}

/** Those that say what it may be; others only say which members go together. */
function alternativesOf(schema: JsonSchema): JsonSchema[] {
  return [schema['anyOf'], schema['oneOf']]
    .flatMap(listOf)
    .filter(isJsonObject)
    .filter((alternative) => 'type' in alternative || 'anyOf' in alternative);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
