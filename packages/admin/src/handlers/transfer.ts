import { isMap, placeOfKey } from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import { answer, refuse } from '../answer.ts';
import { makeChanges } from '../transfer/apply-import.ts';
import type { PlannedChange } from '../transfer/plan-import.ts';
import { documentFault } from './check-document.ts';
import type { AdminContext, Handlers } from './handler.ts';

/** `export`: all of the store, as it is stored. A POST, because it shows what a viewer may not see. */
export function exportHandlers({ writer }: AdminContext): Handlers {
  return {
    async POST() {
      const { revision, entries } = await writer.list('');
      return answer(200, { revision, entries });
    },
  };
}

/**
 * `import`: some changes to resources, each made only if the resource still is at the revision that the client expects.
 * Each document is checked by itself; that what it names is there is the client's business, who knows the whole.
 */
export function importHandlers(context: AdminContext): Handlers {
  const { gate, resources, writer } = context;
  return {
    async POST({ body }) {
      const changes = readChanges(body, context);
      if (typeof changes === 'string') return refuse(400, changes);
      return gate.alone(async () => {
        const results = await makeChanges(changes, {
          writer,
          onWritten: (revision) => resources.acknowledge(revision),
        });
        return answer(200, { results: results.map(toJson) });
      });
    },
  };
}

function toJson(result: PromiseSettledResult<unknown>): object {
  if (result.status === 'fulfilled') return {};
  const { reason } = result;
  if (!isGatewayError(reason)) throw reason;
  return { code: reason.code, error_msg: reason.message };
}

/** @returns what is wrong with the body, if something is. */
function readChanges(body: unknown, context: AdminContext): readonly PlannedChange[] | string {
  const list = isMap(body) ? body['changes'] : undefined;
  if (!Array.isArray(list)) return 'invalid request body: {"changes":[…]} was expected';
  const changes: PlannedChange[] = [];
  for (const [index, change] of list.entries()) {
    const read = readChange(change, context);
    if (typeof read === 'string') return `changes[${index}]: ${read}`;
    changes.push(read);
  }
  return changes;
}

function readChange(change: unknown, context: AdminContext): PlannedChange | string {
  if (!isMap(change)) return 'a map was expected';
  const { key, expected, document } = change;
  if (typeof key !== 'string') return 'key must be text';
  if (typeof expected !== 'number' || !Number.isSafeInteger(expected) || expected < 0) {
    return 'expected must be a revision, or 0 for a key that is absent';
  }
  const { kind: segment, id } = placeOfKey(key);
  const kind = context.kinds.find((candidate) => candidate.segment === segment);
  if (key !== 'plugins' && (kind === undefined || id === '')) return `${key} is the key of no resource`;
  if (document === undefined) return { key, expected };
  if (kind === undefined) {
    return Array.isArray(document)
      ? { key, expected, value: JSON.stringify(document) }
      : `${key} must be a list`;
  }
  if (!isMap(document)) return `${key}: a map was expected`;
  const fault = documentFault(kind, { ...document, id }, { ...context, fault: context.storedFault });
  return fault === undefined ? { key, expected, value: JSON.stringify(document) } : `${key}: ${fault}`;
}
