import { isMap } from '@apisix-ts/config';
import type { FastifyInstance } from 'fastify';
import { refuseBrowsers } from './browser-guard.ts';
import { drainKinds } from './drain-facts.ts';
import type { DrainAccess, DrainFacts, DrainTarget } from './drain-facts.ts';
import { refuse } from './refusal.ts';

/** A year: what is meant to take longer needs no window. Seconds. */
const MOST_SECONDS = 31_536_000;

/** `GET`, `POST` and `DELETE /v1/drain`: what gets no new sessions. Ours. */
export function addDrainRoutes(app: FastifyInstance, drains: DrainAccess): void {
  const showAll = async (): Promise<{ readonly draining: readonly unknown[] }> => ({
    draining: (await drains.list()).map(showDrain),
  });

  app.get('/v1/drain', { onRequest: refuseBrowsers }, showAll);

  app.post('/v1/drain', { onRequest: refuseBrowsers }, async ({ body }, reply) => {
    const wanted = readDrain(body);
    if (typeof wanted === 'string') return refuse(reply, 400, wanted);
    return showDrain(await drains.start(wanted.target, wanted.overMs));
  });

  app.delete('/v1/drain', { onRequest: refuseBrowsers }, async ({ query }, reply) => {
    const target = readTarget(isMap(query) ? query : {}, []);
    if (typeof target === 'string') return refuse(reply, 400, target);
    await drains.undo(target);
    return showAll();
  });
}

function readDrain(body: unknown): { readonly target: DrainTarget; readonly overMs?: number } | string {
  if (!isMap(body)) return 'expected a JSON object, as {"node":"10.0.0.5:3306","over":60}';
  const target = readTarget(body, ['over']);
  if (typeof target === 'string') return target;
  const { over } = body;
  if (over === undefined) return { target };
  if (typeof over !== 'number' || !(over >= 0 && over <= MOST_SECONDS)) {
    return `expected seconds from 0 to ${MOST_SECONDS} as over, found ${JSON.stringify(over)}`;
  }
  return { target, overMs: over * 1000 };
}

/** @param more members that are known beside the kinds. */
function readTarget(given: Readonly<Record<string, unknown>>, more: readonly string[]): DrainTarget | string {
  const known: readonly string[] = [...drainKinds, ...more];
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) return `unknown member ${unknown}: expected ${known.join(', ')}`;
  const [kind, ...others] = drainKinds.filter((each) => given[each] !== undefined);
  if (kind === undefined || others.length > 0) return `expected one of ${drainKinds.join(', ')}`;
  const name = given[kind];
  if (typeof name !== 'string' || name === '') {
    return `expected one text as ${kind}, found ${JSON.stringify(name)}`;
  }
  return { kind, name };
}

/** What is absent is left out by JSON. */
function showDrain({ kind, name, since, overMs, sessions }: DrainFacts): unknown {
  return {
    [kind]: name,
    since,
    over: overMs === undefined ? undefined : overMs / 1000,
    ends_at: overMs === undefined ? undefined : since + overMs,
    sessions,
  };
}
