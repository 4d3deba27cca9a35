import { idText } from '@apisix-ts/config';
import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { settleId } from '../ids.ts';
import { isMatch, mismatch } from '../if-match.ts';
import { rulesFor } from '../kind-rules.ts';
import { replaceIfUnchanged } from '../resource-store.ts';
import { forbiddenTime, stamp } from '../timestamps.ts';
import { admit, objectBody, viewId } from './check-document.ts';
import type { AdminContext, Handler } from './handler.ts';

/** Creates or replaces a resource under an id that the client chose. */
export function putResource(kind: ResourceKind, context: AdminContext): Handler {
  const rules = rulesFor(kind.segment);
  const { envelope, gate, resources } = context;
  return async ({ directory, id: urlId, body, lease, ifMatch }) => {
    const submitted = objectBody(body);
    if ('wrong' in submitted) return refuse(400, submitted.wrong);
    const settled = settleId(kind.word, rules, urlId, submitted.document);
    if ('wrong' in settled) return refuse(400, settled.wrong);
    const forbidden = rules.hasTimes ? forbiddenTime(submitted.document) : undefined;
    if (forbidden !== undefined) return refuse(400, forbidden);

    const write = async (): Promise<Answer> => {
      if (rules.above !== undefined && !(await hasOwner(directory, context))) {
        return refuse(404, `${kindAbove(rules.above, context)} not found`);
      }
      const id = idText(settled.id);
      const identified =
        rules.idFrom === 'username' ? submitted.document : { ...submitted.document, id: settled.id };
      const admitted = await admit(kind, identified, context, viewId(directory, id));
      if ('wrong' in admitted) return refuse(400, admitted.wrong);
      const replaced = ifMatch === undefined ? undefined : await resources.read(directory, id);
      if (!isMatch(ifMatch, replaced)) return mismatch;
      const createTime = rules.hasTimes ? await createTimeOf(kind, directory, id, context) : undefined;
      const document = stamp(admitted.document, settled.id, context.nowSeconds(), { createTime }, rules);
      if (replaced !== undefined) {
        const isReplaced = await replaceIfUnchanged(resources, directory, id, document, replaced, lease);
        if (!isReplaced) return mismatch;
        return envelope().written(kind, 'put', { key: replaced.key, document });
      }
      const isNew = await resources.put(directory, id, document, lease);
      return envelope().written(kind, isNew ? 'put-new' : 'put', {
        key: resources.keyOf(directory, id),
        document,
      });
    };
    return rules.duplicate === undefined ? gate.shared(write) : gate.alone(write);
  };
}

/**
 * The copy in memory tells as well as the store, once it has all that was written here; what another gateway does this
 * moment could change the store after it was read, too.
 */
async function createTimeOf(
  kind: ResourceKind,
  directory: string,
  id: string,
  { documents, resources }: AdminContext,
): Promise<unknown> {
  const isCurrent = documents.revision >= resources.acknowledged;
  const known = isCurrent ? documents.get(kind.segment, viewId(directory, id)) : undefined;
  return known === undefined ? resources.createTimeOf(directory, id) : known['create_time'];
}

/** @param directory `consumers/jack/credentials`. */
async function hasOwner(directory: string, { resources }: AdminContext): Promise<boolean> {
  const [above = '', owner = ''] = directory.split('/');
  return (await resources.read(above, owner)) !== undefined;
}

function kindAbove(segment: string, { kinds }: AdminContext): string {
  return kinds.find((kind) => kind.segment === segment)?.word ?? segment;
}
