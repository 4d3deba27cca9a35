import { nowhere, refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import { authenticate } from './auth.ts';
import type { AdminKey } from './auth.ts';
import { preflight } from './cors.ts';
import type { Endpoints } from './endpoints.ts';
import type { AdminRequest } from './request.ts';
import { parseRequestTarget } from './request-target.ts';

export interface DispatchOptions {
  /** Undefined: no authentication. */
  readonly keys: readonly AdminKey[] | undefined;
  readonly cors: boolean;
}

/**
 * Finds the endpoint of a request and answers it. The order of the steps is APISIX's, since it decides which of
 * several faults a client is told.
 */
export function createDispatch(
  endpoints: Endpoints,
  { keys, cors }: DispatchOptions,
): (request: AdminRequest) => Promise<Answer> {
  return async (request) => {
    const { method } = request;
    if (cors && method === 'OPTIONS') return preflight;
    const target = parseRequestTarget(request.target);
    if (target === undefined) return refuse(400, 'malformed path');
    const { query } = target;
    const [root, admin, ...path] = target.segments;
    if (root !== 'apisix' || admin !== 'admin') return outside(method);
    if (path.length === 0 && method === 'HEAD') return { status: 200 };
    const endpoint = endpoints.find(method, path);
    if (endpoint === undefined) return nowhere;
    return authenticate(request, query, keys) ?? endpoint(request, query);
  };
}

function outside(method: string): Answer {
  return method === 'GET' || method === 'HEAD' ? nowhere : refuse(405, 'not allowed');
}
