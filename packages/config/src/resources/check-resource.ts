import { compileSchema } from '../validate/compile-schema.ts';
import type { CheckContext, Document, DocumentCheck, ResourceKind } from './resource-kind.ts';

/**
 * Everything that can be said about one document without looking at others: its schema, then its kind's own checks.
 * @param value any JSON value; never changed.
 * @returns a copy with all defaults, or the `error_msg` of an answer about it.
 */
export function checkResource<D extends Document>(
  kind: ResourceKind<D>,
  value: unknown,
  context: CheckContext,
): DocumentCheck<D> {
  const result = compileSchema<D>(kind.schema)(value);
  if (!result.ok) return { ok: false, message: `invalid configuration: ${result.message}` };
  return kind.check(result.value, context);
}
