import type { Document } from '@apisix-ts/config';
import type { Documents } from '../duplicates.ts';
import type { AdminContext } from './handler.ts';

/**
 * All resources, exact about everything that was written through this server: the copy has caught up first, or the
 * store itself is read.
 */
export async function currentDocuments(context: AdminContext): Promise<Documents> {
  const { applied, appliedTimeoutMs, documents, resources } = context;
  if (documents.revision >= resources.acknowledged) return documents;
  const signal = AbortSignal.timeout(appliedTimeoutMs);
  try {
    await applied(resources.acknowledged, signal);
    return documents;
  } catch (error) {
    if (signal.aborted) return storedDocuments(context);
    throw error;
  }
}

async function storedDocuments({ kinds, resources }: AdminContext): Promise<Documents> {
  const found = new Map(kinds.map(({ segment }) => [segment, [] as (readonly [string, Document])[]]));
  for (const { segment } of kinds) {
    for (const { kind, id, document } of await resources.listBelow(segment)) {
      found.get(kind)?.push([id, document]);
    }
  }
  return { entries: (segment) => found.get(segment) ?? [] };
}
