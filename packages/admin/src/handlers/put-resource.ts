import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import { written } from '../envelope.ts';
import { idText, settleId } from '../ids.ts';
import { forbiddenTime, stamp } from '../timestamps.ts';
import { admit, objectBody } from './check-document.ts';
import type { AdminContext, Handler } from './handler.ts';

/** Creates or replaces a resource under an id that the client chose. */
export function putResource(kind: ResourceKind, context: AdminContext): Handler {
  const { segment, word } = kind;
  const { gate, resources } = context;
  return async ({ id: urlId, body, lease }) => {
    const submitted = objectBody(body);
    if ('wrong' in submitted) return refuse(400, submitted.wrong);
    const settled = settleId(word, urlId, submitted.document);
    if ('wrong' in settled) return refuse(400, settled.wrong);
    const forbidden = forbiddenTime(submitted.document);
    if (forbidden !== undefined) return refuse(400, forbidden);

    return gate.shared(async () => {
      const admitted = await admit(kind, { ...submitted.document, id: settled.id }, context);
      if ('wrong' in admitted) return refuse(400, admitted.wrong);
      const id = idText(settled.id);
      const createTime = await resources.createTimeOf(segment, id);
      const document = stamp(admitted.document, settled.id, context.nowSeconds(), { createTime });
      const isNew = await resources.put(segment, id, document, lease);
      return written(kind, isNew ? 201 : 200, { key: resources.keyOf(segment, id), document });
    });
  };
}
