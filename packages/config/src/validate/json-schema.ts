/** A JSON Schema (draft 7, as APISIX's resources are described): plain data, served as it is by `/schema/*`. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Neither an array nor null. */
export function isJsonObject(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
