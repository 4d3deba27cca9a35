import type { CheckResult } from './check-result.ts';
import { copyJson } from './copy-json.ts';
import { describeFailure } from './describe-failure.ts';
import type { JsonSchema } from './json-schema.ts';
import { findError } from './validator.ts';
import type { Draft } from './validator.ts';

/** Checks a JSON value; what it promises is said at `CheckResult`. Never throws on a JSON value. */
export type Check<T = unknown> = (value: unknown) => CheckResult<T>;

/** `never` stands for whatever type a caller says that its schema proves. */
const checks = new WeakMap<JsonSchema, Check<never>>();

/**
 * A check of JSON values against a schema (draft 7, without `$ref`), as APISIX understands it: empty arrays pass as
 * objects and the other way round, whole numbers are integers however they are written, and a string that refers to a
 * secret (`$secret://…`, `$env://…`) passes for any string. It stops at the first fault.
 *
 * The schema is compiled at the first check and kept as long as the schema object lives; asking again for the same
 * object gives the same check. The first check throws when the schema itself is wrong. Defaults below `anyOf`, `oneOf`,
 * `not` and `if` are not filled in.
 * @typeParam T what a value is that passed, as far as the schema proves it: the caller's word.
 */
export function compileSchema<T = unknown>(schema: JsonSchema): Check<T> {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const check: Check<never> = (value) => run(schema, value);
  checks.set(schema, check);
  return check;
}

function run(schema: JsonSchema, value: unknown): CheckResult<never> {
  const draft: Draft = { value: undefined };
  try {
    draft.value = copyJson(value);
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, message: error.message, path: [] };
    throw error;
  }
  const error = findError(schema, draft);
  if (error !== undefined) return describeFailure(error, schema, draft.value);
  // The schema has just proved the caller's type.
  return { ok: true, value: draft.value as never };
}
