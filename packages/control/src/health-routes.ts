import { jsonListBody } from '@apisix-ts/http-server';
import type { FastifyInstance } from 'fastify';
import type { GatewayFacts, UpstreamHealthFacts } from './gateway-facts.ts';
import { healthPage } from './health-page.ts';
import { refuse } from './refusal.ts';
import type { ShownDocuments } from './resource-routes.ts';

export interface HealthRoutesOptions {
  readonly status: () => GatewayFacts;
  readonly documents: ShownDocuments;
  /** What keys begin with in answers: `/apisix`. */
  readonly prefix: string;
}

/** The kinds of resources that may have checks. */
const sourceTypes: ReadonlySet<string> = new Set(['routes', 'services', 'upstreams', 'stream_routes']);

/** `GET /v1/healthcheck`, for browsers as a table, and `GET /v1/healthcheck/{type}/{id}`, as in the reference. */
export function addHealthRoutes(
  app: FastifyInstance,
  { status, documents, prefix }: HealthRoutesOptions,
): void {
  const show = (health: UpstreamHealthFacts): UpstreamHealthFacts => ({
    ...health,
    name: `${prefix}/${health.name}`,
  });

  app.get('/v1/healthcheck', async ({ headers }, reply) => {
    const { health } = status();
    if (headers.accept?.includes('text/html') === true) {
      return reply.type('text/html').send(healthPage(health.map(show)));
    }
    const list = { before: '[', items: health, after: ']' };
    return reply.type('application/json').send(jsonListBody(list, show));
  });

  app.get<{ Params: { type: string } }>('/v1/healthcheck/:type', async ({ params }, reply) =>
    sourceTypes.has(params.type)
      ? refuse(reply, 404, `missing src id for src type ${params.type}`)
      : refuse(reply, 400, `invalid src type ${params.type}`),
  );

  app.get<{ Params: { type: string; id: string } }>(
    '/v1/healthcheck/:type/:id',
    async ({ params }, reply) => {
      const { type, id } = params;
      if (!sourceTypes.has(type)) return refuse(reply, 400, `invalid src type ${type}`);
      if (documents.get(type, id) === undefined) return refuse(reply, 404, `${type}[${id}] not found`);
      const health = status().health.find(({ name }) => name === `${type}/${id}`);
      return health === undefined ? refuse(reply, 404, `no checker for ${type}[${id}]`) : show(health);
    },
  );
}
