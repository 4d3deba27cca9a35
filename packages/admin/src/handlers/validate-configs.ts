import { compileSchema, idText } from '@apisix-ts/config';
import type { ResourceKind } from '@apisix-ts/config';
import { answer, refuse } from '../answer.ts';
import { rulesFor } from '../kind-rules.ts';
import { isObject } from '../patch.ts';
import { documentFault } from './check-document.ts';
import type { AdminContext, Handlers } from './handler.ts';

interface Fault {
  readonly resource_type: string;
  readonly resource_id?: string;
  /** In its collection, from 0. */
  readonly index?: number;
  readonly error: string;
}

/**
 * `configs/validate`: a whole configuration, as collections by their segment. Every document is checked by itself,
 * all faults are told, nothing is stored and no reference looked up.
 */
export function validateConfigsHandlers(context: AdminContext): Handlers {
  const kinds = context.kinds.filter(({ segment }) => rulesFor(segment).above === undefined);
  return {
    POST({ body }) {
      if (body === undefined) return refuse(400, 'invalid request body: empty request body');
      if (!isObject(body)) return refuse(400, 'invalid request body: a JSON object was expected');
      const errors = kinds.flatMap((kind) => [
        ...versionFaults(kind, body[`${kind.segment}_conf_version`]),
        ...collectionFaults(kind, body[kind.segment], context),
      ]);
      if (errors.length === 0) return answer(200, {});
      return answer(400, { error_msg: 'Configuration validation failed', errors });
    },
  };
}

function versionFaults({ segment }: ResourceKind, version: unknown): readonly Fault[] {
  if (version === undefined || typeof version === 'number') return [];
  return [{ resource_type: segment, error: `${segment}_conf_version must be a number` }];
}

function collectionFaults(kind: ResourceKind, collection: unknown, context: AdminContext): readonly Fault[] {
  const { segment } = kind;
  if (collection === undefined) return [];
  if (!Array.isArray(collection)) return [{ resource_type: segment, error: `${segment} must be an array` }];
  const seen = new Set<string>();
  return collection.flatMap((item: unknown, index): readonly Fault[] => {
    const resource_id = itemId(kind, item);
    const errors = [itemFault(kind, item, context), duplicateFault(kind, resource_id, seen)];
    return errors
      .filter((error) => error !== undefined)
      .map((error) => ({ resource_type: segment, resource_id, index, error }));
  });
}

/** Credentials stand among the consumers, with an id like `jack/credentials/1`. */
function itemFault(kind: ResourceKind, item: unknown, context: AdminContext): string | undefined {
  if (!isObject(item)) {
    const checked = compileSchema(kind.schema)(item);
    return checked.ok ? undefined : `invalid configuration: ${checked.message}`;
  }
  const { below } = rulesFor(kind.segment);
  const isBelow = below !== undefined && itemId(kind, item).split('/')[1] === below;
  const actual = isBelow ? context.kinds.find(({ segment }) => segment === below) : kind;
  return documentFault(actual ?? kind, item, context);
}

function itemId({ segment }: ResourceKind, item: unknown): string {
  if (!isObject(item)) return '';
  const id = rulesFor(segment).idFrom === 'username' ? (item['username'] ?? item['id']) : item['id'];
  return id === undefined ? '' : idText(id);
}

function duplicateFault({ segment }: ResourceKind, id: string, seen: Set<string>): string | undefined {
  const isKnown = seen.has(id);
  seen.add(id);
  if (id === '' || !isKnown) return undefined;
  const word = rulesFor(segment).idFrom === 'username' && !id.includes('/') ? 'username' : 'id';
  return `found duplicate ${word} ${id} in ${segment}`;
}
