import type { Document, ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { deleted, notFound } from '../envelope.ts';
import { findUse, isReferable } from '../references.ts';
import type { Documents } from '../references.ts';
import type { AdminContext, Handler } from './handler.ts';

/**
 * Removes a resource that nothing else uses. The look at what uses it is exact about everything that was written
 * through this server: no write runs beside it, and the copy it looks at has caught up first, or the store itself is
 * read. Writes through other servers are seen a moment later.
 */
export function deleteResource(kind: ResourceKind, context: AdminContext): Handler {
  const { segment, word } = kind;
  const { gate, kinds, resources } = context;
  return async ({ id, query }) => {
    if (id === undefined) return refuse(400, `missing ${word} id`);
    const remove = async (): Promise<Answer> => {
      const wasThere = await resources.remove(segment, id);
      return wasThere ? deleted(resources.keyOf(segment, id)) : notFound;
    };

    if (query.get('force') === 'true' || !isReferable(kind, kinds)) return gate.shared(remove);
    return gate.alone(async () => {
      const use = findUse(kind, id, kinds, await currentDocuments(context));
      return use === undefined ? remove() : refuse(400, use);
    });
  };
}

async function currentDocuments(context: AdminContext): Promise<Documents> {
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
  const listed = new Map<string, (readonly [string, Document])[]>();
  for (const { segment } of kinds) {
    const stored = await resources.list(segment);
    const idAt = resources.keyOf(segment, '').length;
    listed.set(
      segment,
      stored.map(({ key, document }) => [key.slice(idAt), document]),
    );
  }
  return { entries: (segment) => listed.get(segment) ?? [] };
}
