import type { ResourceKind } from '@apisix-ts/config';
import { refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import { authenticate } from './auth.ts';
import type { AdminKey } from './auth.ts';
import { preflight } from './cors.ts';
import type { AdminContext, Handlers } from './handlers/handler.ts';
import { pluginHandlers, pluginListHandlers, pluginReloadHandlers } from './handlers/plugins.ts';
import { resourceHandlers } from './handlers/resource.ts';
import { schemaHandlers, validateHandlers } from './handlers/schema.ts';
import { exportHandlers, importHandlers } from './handlers/transfer.ts';
import { validateConfigsHandlers } from './handlers/validate-configs.ts';
import { readJson } from './json-body.ts';
import { rulesFor } from './kind-rules.ts';
import { placeOf } from './place.ts';
import type { Place } from './place.ts';
import type { AdminRequest } from './request.ts';
import { parseRequestTarget } from './request-target.ts';
import { parseTtl } from './ttl.ts';

export interface DispatchOptions {
  /** Undefined: no authentication. */
  readonly keys: readonly AdminKey[] | undefined;
  readonly cors: boolean;
  /** Does the gateway proxy streams? If not, stream routes are refused. */
  readonly isStreamEnabled: () => boolean;
}

const methods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'PATCH', 'DELETE']);

/**
 * Finds the endpoint of a request and answers it. The order of the steps is APISIX's, since it decides which of
 * several faults a client is told.
 */
export function createDispatch(
  context: AdminContext,
  options: DispatchOptions,
): (request: AdminRequest) => Promise<Answer> {
  const resources = resourceEndpoints(context);
  const fixed = fixedEndpoints(context);

  return async (request) => {
    const { method } = request;
    if (options.cors && method === 'OPTIONS') return preflight;
    const target = parseRequestTarget(request.target);
    if (target === undefined) return refuse(400, 'malformed path');
    const { query } = target;
    const [root, admin, ...path] = target.segments;
    if (root !== 'apisix' || admin !== 'admin') return outside(method);
    if (path.length === 0 && method === 'HEAD') return { status: 200 };
    if (!methods.has(method)) return nowhere;
    const refusal = authenticate(request, query, options.keys);
    if (refusal !== undefined) return refusal;

    const endpoint = fixed(path, method);
    const place = placeOf(path);
    if (place === undefined) return nowhere;
    if (endpoint !== undefined) return run(endpoint, request, place, query);

    if (place.endpoint === 'stream_routes' && !options.isStreamEnabled()) {
      return refuse(400, 'stream mode is disabled, can not add stream routes');
    }
    const handlers = resources.get(place.endpoint);
    if (handlers === undefined) return refuse(404, `Unsupported resource type: ${place.endpoint}`);
    return run(handlers, request, place, query, { 'x-api-version': 'v3' });
  };
}

const nowhere: Answer = refuse(404, 'not found');

function outside(method: string): Answer {
  return method === 'GET' || method === 'HEAD' ? nowhere : refuse(405, 'not allowed');
}

function resourceEndpoints(context: AdminContext): ReadonlyMap<string, Handlers> {
  return new Map([
    ...context.kinds.map((kind) => [endpointOf(kind), resourceHandlers(kind, context)] as const),
    ['plugins', pluginHandlers(context)],
    ['schema', schemaHandlers(context)],
  ]);
}

function endpointOf({ segment }: ResourceKind): string {
  const { above } = rulesFor(segment);
  return above === undefined ? segment : `${above}/${segment}`;
}

/** Endpoints with a path of their own. One without the method leaves the request to the resources. */
function fixedEndpoints(
  context: AdminContext,
): (path: readonly string[], method: string) => Handlers | undefined {
  const endpoints: readonly (readonly [string, Handlers])[] = [
    ['plugins/list', pluginListHandlers(context)],
    ['plugins/reload', pluginReloadHandlers(context)],
    ['schema/validate', validateHandlers(context)],
    ['configs/validate', validateConfigsHandlers(context)],
    ['export', exportHandlers(context)],
    ['import', importHandlers(context)],
  ];
  return (path, method) => {
    const found = endpoints.find(([name]) => name === path.slice(0, 2).join('/'))?.[1];
    return found?.[method] === undefined ? undefined : found;
  };
}

/**
 * Reads what all endpoints read, and calls the handler.
 * @param headers go on what the handler answers, not on what is refused before it.
 */
async function run(
  handlers: Handlers,
  request: AdminRequest,
  { directory, id, subPath }: Place,
  query: URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { method } = request;
  const handler = handlers[method];
  if (handler === undefined) return nowhere;
  const body = await readJson(request);
  if ('refusal' in body) return body.refusal;
  const ttl = parseTtl(query, method !== 'GET' && method !== 'DELETE');
  if ('refusal' in ttl) return ttl.refusal;
  const answered = await handler({
    method,
    directory,
    id,
    subPath,
    query,
    body: body.value,
    lease: ttl.options,
    ifMatch: request.header('if-match'),
  });
  return { ...answered, headers: { ...answered.headers, ...headers } };
}
