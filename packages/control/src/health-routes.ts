import type { FastifyInstance, FastifyReply } from 'fastify';
import type { GatewayFacts, UpstreamHealthFacts } from './gateway-facts.ts';

export interface HealthRoutesOptions {
  readonly status: () => GatewayFacts;
  /** Does a resource exist? `upstreams`, `1`. */
  readonly hasResource: (segment: string, id: string) => boolean;
  /** What keys begin with in answers: `/apisix`. */
  readonly prefix: string;
}

/** The kinds of resources that may have checks. */
const sourceTypes: ReadonlySet<string> = new Set(['routes', 'services', 'upstreams', 'stream_routes']);

/** `GET /v1/healthcheck` and `GET /v1/healthcheck/{type}/{id}`, as in the reference. */
export function addHealthRoutes(
  app: FastifyInstance,
  { status, hasResource, prefix }: HealthRoutesOptions,
): void {
  const show = (health: UpstreamHealthFacts): UpstreamHealthFacts => ({
    ...health,
    name: `${prefix}/${health.name}`,
  });

  app.get('/v1/healthcheck', async () => status().health.map(show));

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
      if (!hasResource(type, id)) return refuse(reply, 404, `${type}[${id}] not found`);
      const health = status().health.find(({ name }) => name === `${type}/${id}`);
      return health === undefined ? refuse(reply, 404, `no checker for ${type}[${id}]`) : show(health);
    },
  );
}

function refuse(reply: FastifyReply, status: number, message: string): { readonly error_msg: string } {
  reply.code(status);
  return { error_msg: message };
}
