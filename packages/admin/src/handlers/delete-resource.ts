import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { notFound } from '../envelope.ts';
import { isMatch, mismatch } from '../if-match.ts';
import { rulesFor } from '../kind-rules.ts';
import { findUse, isReferable } from '../references.ts';
import { currentDocuments } from './current-documents.ts';
import type { AdminContext, Handler } from './handler.ts';

/**
 * Removes a resource that nothing else uses. The look at what uses it is exact about everything that was written
 * through this server: no write runs beside it, and the copy it looks at has caught up first, or the store itself is
 * read. Writes through other servers are seen a moment later.
 */
export function deleteResource(kind: ResourceKind, context: AdminContext): Handler {
  const { below, missingId } = rulesFor(kind.segment);
  const { envelope, gate, kinds, resources } = context;
  return async ({ directory, id, query, ifMatch }) => {
    if (id === undefined) return refuse(400, missingId ?? `missing ${kind.word} id`);
    const remove = async (): Promise<Answer> => {
      if (ifMatch !== undefined) {
        const stored = await resources.read(directory, id);
        if (stored === undefined) return notFound;
        if (!isMatch(ifMatch, stored)) return mismatch;
      }
      const wasThere = await resources.remove(directory, id);
      if (!wasThere) return notFound;
      if (below !== undefined) await resources.removeAll(`${directory}/${id}/${below}`);
      return envelope().deleted(resources.keyOf(directory, id));
    };

    if (query.get('force') === 'true' || !isReferable(kind, kinds)) {
      // The store has no conditional deletion.
      return ifMatch === undefined ? gate.shared(remove) : gate.alone(remove);
    }
    return gate.alone(async () => {
      const use = findUse(kind, id, kinds, await currentDocuments(context));
      return use === undefined ? remove() : refuse(400, use);
    });
  };
}
