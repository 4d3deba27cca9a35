import type { Document, ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { notFound } from '../envelope.ts';
import { settleId } from '../ids.ts';
import { isMatch, mismatch } from '../if-match.ts';
import { rulesFor } from '../kind-rules.ts';
import { isObject, mergePatch, replaceAt } from '../patch.ts';
import { replaceIfUnchanged } from '../resource-store.ts';
import { stamp } from '../timestamps.ts';
import { admit, viewId } from './check-document.ts';
import type { AdminContext, Call, Handler } from './handler.ts';

/**
 * Changes a part of a resource: a merge of the body into all of it, or with a path after the id a replacement of the
 * member there. Written only if nobody else changed the resource in the meantime.
 */
export function patchResource(kind: ResourceKind, context: AdminContext): Handler {
  const { word } = kind;
  const rules = rulesFor(kind.segment);
  const { envelope, gate, resources } = context;
  return async (call) => {
    const { directory, id, lease, ifMatch } = call;
    if (id === undefined) return refuse(400, rules.missingId ?? `missing ${word} id`);
    const wrong = wrongPatch(call);
    if (wrong !== undefined) return refuse(400, wrong);

    const write = async (): Promise<Answer> => {
      const stored = await resources.read(directory, id);
      if (stored === undefined) return notFound;
      if (!isMatch(ifMatch, stored)) return mismatch;
      const patched = apply(call, stored.document);
      if (patched === undefined) return refuse(400, `invalid sub-path: /${call.subPath.join('/')}`);
      const settled = settleId(word, rules, id, patched);
      if ('wrong' in settled) return refuse(400, settled.wrong);
      const stamped = stamp(patched, id, context.nowSeconds(), timesOf(call, patched), rules);
      const admitted = await admit(kind, stamped, context, viewId(directory, id));
      if ('wrong' in admitted) return refuse(400, admitted.wrong);
      const { document } = admitted;
      const isWritten = await replaceIfUnchanged(resources, directory, id, document, stored, lease);
      if (!isWritten) {
        return ifMatch === undefined ? refuse(503, 'value changed before overwritten') : mismatch;
      }
      return envelope().written(kind, 'patch', { key: stored.key, document });
    };
    return rules.duplicate === undefined ? gate.shared(write) : gate.alone(write);
  };
}

function wrongPatch({ body, subPath }: Call): string | undefined {
  if (body === undefined) return 'missing new configuration';
  if (subPath.length > 0) return undefined;
  // An empty array is an empty object to the reference, in this place too.
  return isObject(body) || (Array.isArray(body) && body.length === 0) ? undefined : 'invalid configuration';
}

function apply({ body, subPath }: Call, stored: Document): Document | undefined {
  if (subPath.length > 0) return replaceAt(stored, subPath, body);
  return isObject(body) ? mergePatch(stored, body) : stored;
}

/** Times may be patched, except that replacing a member always is an update. */
function timesOf({ body, subPath }: Call, patched: Document): { createTime: unknown; updateTime: unknown } {
  const isGiven = subPath.length === 0 && isObject(body) && body['update_time'] !== undefined;
  return {
    createTime: patched['create_time'],
    updateTime: isGiven ? patched['update_time'] : undefined,
  };
}
