import { isIP } from 'node:net';
import { arrayOfNodes, isMap, maskPrivateKeys } from '@apisix-ts/config';
import type { Document, DocumentView, NodesField, ResourceKind } from '@apisix-ts/config';
import { jsonListBody } from '@apisix-ts/http-server';
import type { FastifyInstance } from 'fastify';
import { refuse } from './refusal.ts';

/** The resources in effect. */
export type ShownDocuments = Pick<DocumentView, 'get' | 'entries' | 'revisionsOf'>;

export interface ResourceRoutesOptions {
  readonly kinds: readonly ResourceKind[];
  readonly documents: ShownDocuments;
  /** What keys begin with in answers: `/apisix`. */
  readonly prefix: string;
}

/** The kinds that are shown, by segment. The reference has no stream routes. */
const shownKinds: ReadonlySet<string> = new Set(['routes', 'services', 'upstreams', 'stream_routes']);

/** A resource with its place and revisions, in the reference's shape. */
export interface ResourceWrapper {
  readonly key: string;
  readonly value: Document;
  readonly createdIndex?: number;
  readonly modifiedIndex?: number;
  /** Of routes: the same as `modifiedIndex`. */
  readonly orig_modifiedIndex?: number;
  /** Is one of its own nodes a name? */
  readonly has_domain: boolean;
}

/** `GET /v1/routes` and `GET /v1/route/{id}`, as in the reference, and the same of services, upstreams, stream routes. */
export function addResourceRoutes(
  app: FastifyInstance,
  { kinds, documents, prefix }: ResourceRoutesOptions,
): void {
  for (const kind of kinds) {
    const { segment, name } = kind;
    if (!shownKinds.has(segment)) continue;
    const wrap = (id: string, document: Document): ResourceWrapper => {
      const { createRevision, modRevision } = documents.revisionsOf(segment, id) ?? {};
      return {
        key: `${prefix}/${segment}/${id}`,
        value: withArrays(maskPrivateKeys(kind, document)),
        ...(createRevision === undefined ? {} : { createdIndex: createRevision }),
        ...(modRevision === undefined ? {} : { modifiedIndex: modRevision }),
        ...(modRevision === undefined || segment !== 'routes' ? {} : { orig_modifiedIndex: modRevision }),
        has_domain: hasDomain(document),
      };
    };

    app.get(`/v1/${segment}`, async (_request, reply) => {
      const list = { before: '[', items: [...documents.entries(segment)], after: ']' };
      const body = jsonListBody(list, ([id, document]) => wrap(id, document));
      return reply.type('application/json').send(body);
    });
    app.get<{ Params: { id: string } }>(`/v1/${name}/:id`, async ({ params: { id } }, reply) => {
      const document = documents.get(segment, id);
      return document === undefined ? refuse(reply, 404, `${name}[${id}] not found`) : wrap(id, document);
    });
  }
}

/** Nodes in the array form, those of an embedded upstream too. */
function withArrays(document: Document): Document {
  const { upstream, nodes } = document;
  return {
    ...document,
    ...(isMap(upstream) ? { upstream: withArrays(upstream) } : {}),
    ...(nodes === undefined ? {} : { nodes: arrayOfNodes(asNodes(nodes)) }),
  };
}

function hasDomain({ upstream, nodes }: Document): boolean {
  if (isMap(upstream) && hasDomain(upstream)) return true;
  if (nodes === undefined) return false;
  return arrayOfNodes(asNodes(nodes)).some(
    ({ host }) => !host.startsWith('unix:') && isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0,
  );
}

/** Documents in effect have passed the schema of their kind. */
function asNodes(nodes: unknown): NodesField {
  return nodes as NodesField;
}
