/** The reference is written in Lua, whose names for the types of JSON values are part of its messages. */
export function luaType(value: unknown): string {
  if (value === undefined) return 'nil';
  if (value === null) return 'userdata';
  if (typeof value === 'object') return 'table';
  return typeof value;
}

/** The name JSON Schema has for the type of a value; a whole number is an `integer`. */
export function jsonType(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
