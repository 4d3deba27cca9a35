import type { CheckContext, DocumentView, ResourceKind, Revision, StoreWriter } from '@apisix-ts/config';
import { nowhere, refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import { createValidateEndpoint } from './configs/validate-configuration.ts';
import type { Endpoints } from './endpoints.ts';
import { envelopeV3 } from './envelope.ts';
import { envelopeV2 } from './envelope-v2.ts';
import { createFault } from './handlers/check-document.ts';
import type { AdminContext, Handlers } from './handlers/handler.ts';
import { pluginHandlers, pluginListHandlers, pluginReloadHandlers } from './handlers/plugins.ts';
import { resourceHandlers } from './handlers/resource.ts';
import { schemaHandlers, validateHandlers } from './handlers/schema.ts';
import { exportHandlers, importHandlers } from './handlers/transfer.ts';
import { readJson } from './json-body.ts';
import { checkKeyring } from './keyring.ts';
import { rulesFor } from './kind-rules.ts';
import { placeOf } from './place.ts';
import type { Place } from './place.ts';
import type { PluginFacts } from './plugin-facts.ts';
import type { AdminRequest } from './request.ts';
import { createResourceStore } from './resource-store.ts';
import { parseTtl } from './ttl.ts';
import { createWriteGate } from './write-gate.ts';

export interface ResourceEndpointsOptions {
  /** Does `apisix.proxy_mode` have `stream` in it at the moment? Otherwise stream routes are refused. */
  readonly isStreamEnabled: () => boolean;
  readonly kinds: readonly ResourceKind[];
  readonly checkContext: CheckContext;
  /** What the plugin endpoints tell about. */
  readonly plugins: () => readonly PluginFacts[];
  readonly writer: StoreWriter;
  /** The resources in effect, for the question whether something is still used. */
  readonly documents: DocumentView;
  /** Resolves once `documents` shows the revision; rejects when `signal` aborts before that. */
  readonly applied: (revision: Revision, signal: AbortSignal) => Promise<void>;
  /** How long a deletion waits for that before it reads the store instead. Milliseconds; default 1000. */
  readonly appliedTimeoutMs?: number;
  /** The shape of answers at the moment. Default `v3`. */
  readonly apiVersion?: () => 'v2' | 'v3';
  /** Before the keys in answers, `/apisix`: where the store keeps them. */
  readonly prefix: string;
  /**
   * `apisix.data_encryption.keyring`: the first key encrypts private keys in the store, all are tried to open them.
   * Default none: they are stored as they are.
   */
  readonly keyring?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Does what `PUT plugins/reload` asks for. What it rejects with is answered with 503. */
  readonly reloadPlugins: () => Promise<void>;
  /** Is told the revision of every acknowledged write of a resource, before the client is. */
  readonly onWritten?: (revision: Revision) => void;
}

/**
 * The endpoints for a store whose resources are written one by one.
 * @throws GatewayError `SETTINGS_INVALID` for a key of `keyring` that has neither 16 nor 32 bytes.
 */
export function createResourceEndpoints(options: ResourceEndpointsOptions): Endpoints {
  const { apiVersion = () => 'v3', checkContext, isStreamEnabled, writer, prefix, onWritten, now } = options;
  const context: AdminContext = {
    kinds: options.kinds,
    plugins: options.plugins,
    resources: createResourceStore(writer, prefix, onWritten),
    writer,
    documents: options.documents,
    applied: options.applied,
    appliedTimeoutMs: options.appliedTimeoutMs ?? 1000,
    keyring: checkKeyring(options.keyring ?? []),
    envelope: () => (apiVersion() === 'v2' ? envelopeV2 : envelopeV3),
    gate: createWriteGate(),
    nowSeconds: () => Math.floor(now() / 1000),
    reloadPlugins: options.reloadPlugins,
    fault: createFault(checkContext),
    storedFault: createFault({ ...checkContext, isStored: true }),
  };
  const resources = handlersByEndpoint(context);
  const fixed = fixedEndpoints(context);
  const validateConfigs = createValidateEndpoint(context);

  return {
    find(method, path) {
      if (!methods.has(method)) return undefined;
      if (method === 'POST' && path.slice(0, 2).join('/') === 'configs/validate') return validateConfigs;
      return async (request, query) => {
        const endpoint = fixed(path, method);
        const place = placeOf(path);
        if (place === undefined) return nowhere;
        if (endpoint !== undefined) return run(endpoint, request, place, query);

        if (place.endpoint === 'stream_routes' && !isStreamEnabled()) {
          return refuse(400, 'stream mode is disabled, can not add stream routes');
        }
        const handlers = resources.get(place.endpoint);
        if (handlers === undefined) return refuse(404, `Unsupported resource type: ${place.endpoint}`);
        return run(handlers, request, place, query, { 'x-api-version': context.envelope().version });
      };
    },
  };
}

const methods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'PATCH', 'DELETE']);

function handlersByEndpoint(context: AdminContext): ReadonlyMap<string, Handlers> {
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
  const endpoints: ReadonlyMap<string, Handlers> = new Map([
    ['plugins/list', pluginListHandlers(context)],
    ['plugins/reload', pluginReloadHandlers(context)],
    ['schema/validate', validateHandlers(context)],
    ['export', exportHandlers(context)],
    ['import', importHandlers(context)],
  ]);
  return (path, method) => {
    const found = endpoints.get(path.slice(0, 2).join('/'));
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
