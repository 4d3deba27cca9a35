import { compileSchema } from '@apisix-ts/config';
import type { Document, ResourceKind } from '@apisix-ts/config';
import { isObject } from '../patch.ts';
import { referencesOf } from '../references.ts';
import type { AdminContext } from './handler.ts';

const checkObject = compileSchema({ type: 'object' });

/** The body of a PUT or a POST as a document; an empty array is an empty one. */
export function objectBody(body: unknown): { readonly document: Document } | { readonly wrong: string } {
  if (body === undefined) return { wrong: 'missing configurations' };
  const checked = checkObject(body);
  if (!checked.ok) return { wrong: `invalid configuration: ${checked.message}` };
  return { document: isObject(checked.value) ? checked.value : {} };
}

/** The first reason why the document cannot be stored: in itself, then in what it refers to. */
export async function faultOf(
  kind: ResourceKind,
  document: Document,
  context: AdminContext,
): Promise<string | undefined> {
  const fault = context.fault(kind, document);
  if (fault !== undefined) return fault;
  for (const { segment, id, missing } of referencesOf(kind, document, context.kinds)) {
    if (!(await context.resources.exists(segment, id))) return missing;
  }
  return undefined;
}
