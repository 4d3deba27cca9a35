import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import { rulesFor } from '../kind-rules.ts';
import { deleteResource } from './delete-resource.ts';
import { getResource } from './get-resource.ts';
import type { AdminContext, Handler, Handlers } from './handler.ts';
import { patchResource } from './patch-resource.ts';
import { postResource } from './post-resource.ts';
import { putResource } from './put-resource.ts';

type ResourceHandler = (kind: ResourceKind, context: AdminContext) => Handler;

const byMethod: Readonly<Record<string, ResourceHandler>> = {
  GET: getResource,
  PUT: putResource,
  POST: postResource,
  PATCH: patchResource,
  DELETE: deleteResource,
};

/** The endpoints of one kind of resource. */
export function resourceHandlers(kind: ResourceKind, context: AdminContext): Handlers {
  const { refused } = rulesFor(kind.segment);
  const refuseMethod: Handler = ({ method }) =>
    refuse(405, `not supported \`${method}\` method for ${kind.word}`);
  return Object.fromEntries(
    Object.entries(byMethod).map(([method, handler]) => [
      method,
      refused.includes(method) ? refuseMethod : handler(kind, context),
    ]),
  );
}
