/** A JSON Schema (draft 7, as APISIX's resources are described): plain data, served as it is by `/schema/*`. */
export type JsonSchema = { readonly [keyword: string]: unknown };
