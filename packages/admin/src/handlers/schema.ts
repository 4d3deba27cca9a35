import { compileSchema } from '@apisix-ts/config';
import { answer, refuse } from '../answer.ts';
import { rulesFor } from '../kind-rules.ts';
import type { AdminContext, Handlers } from './handler.ts';

/** `schema/<name>`: the JSON schema of a kind, by its singular name. */
export function schemaHandlers({ kinds }: AdminContext): Handlers {
  return {
    GET({ id }) {
      const kind = kinds.find(({ name, segment }) => name === id && rulesFor(segment).hasSchema);
      if (kind === undefined) return refuse(400, `not found schema: ${id ?? ''}`);
      return answer(200, kind.schema);
    },
  };
}

/** `schema/validate/<resource>`: the body against the kind's schema, and nothing else. */
export function validateHandlers({ kinds }: AdminContext): Handlers {
  return {
    POST({ subPath: [segment = ''], body }) {
      const kind = kinds.find((known) => known.segment === segment);
      if (kind === undefined || !rulesFor(segment).hasSchema)
        return refuse(404, `Unsupported resource type: ${segment}`);
      const checked = compileSchema(kind.schema)(body);
      return checked.ok ? { status: 200 } : refuse(400, checked.message);
    },
  };
}
