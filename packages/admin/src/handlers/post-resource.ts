import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import { idFromRevision, wrongIdForPost } from '../ids.ts';
import { forbiddenTime, stamp } from '../timestamps.ts';
import { admit, objectBody } from './check-document.ts';
import type { AdminContext, Handler } from './handler.ts';

/** Creates a resource under an id that is made here. */
export function postResource(kind: ResourceKind, context: AdminContext): Handler {
  const { word } = kind;
  const { envelope, gate, resources } = context;
  return async ({ directory, id: urlId, body, lease }) => {
    const submitted = objectBody(body);
    if ('wrong' in submitted) return refuse(400, submitted.wrong);
    const wrong = wrongIdForPost(word, urlId, submitted.document) ?? forbiddenTime(submitted.document);
    if (wrong !== undefined) return refuse(400, wrong);

    return gate.shared(async () => {
      const admitted = await admit(kind, submitted.document, context, undefined);
      if ('wrong' in admitted) return refuse(400, admitted.wrong);
      const id = idFromRevision(await resources.nextRevision());
      const document = stamp(admitted.document, id, context.nowSeconds(), {});
      await resources.put(directory, id, document, lease);
      return envelope().written(kind, 'post', { key: resources.keyOf(directory, id), document });
    });
  };
}
