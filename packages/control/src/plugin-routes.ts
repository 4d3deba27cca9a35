import { withMeta } from '@apisix-ts/config';
import type { JsonSchema } from '@apisix-ts/config';
import type { FastifyInstance } from 'fastify';
import { refuseBrowsers } from './browser-guard.ts';
import { refuse } from './refusal.ts';
import type { ShownDocuments } from './resource-routes.ts';

/** What is shown of a plugin. */
export interface ShownPlugin {
  readonly priority: number;
  readonly version: number;
  readonly schema: JsonSchema;
  readonly metadataSchema?: JsonSchema;
}

export interface PluginRoutesOptions {
  /** The stream plugins there are at the moment, by name. */
  readonly plugins: ReadonlyMap<string, ShownPlugin>;
  readonly documents: ShownDocuments;
  /** Loads the plugins of config.yaml again. */
  readonly reloadPlugins: () => Promise<void>;
}

/** `/v1/plugin_metadatas`, `/v1/plugin_metadata/{name}` and `PUT /v1/plugins/reload`, as in the reference. */
export function addPluginRoutes(
  app: FastifyInstance,
  { plugins, documents, reloadPlugins }: PluginRoutesOptions,
): void {
  app.get('/v1/plugin_metadatas', async () =>
    Array.from(documents.entries('plugin_metadata'))
      .filter(([name]) => plugins.has(name))
      .map(([, document]) => document),
  );

  app.get<{ Params: { name: string } }>('/v1/plugin_metadata/:name', async ({ params: { name } }, reply) => {
    const document = plugins.has(name) ? documents.get('plugin_metadata', name) : undefined;
    return document ?? refuse(reply, 404, `plugin metadata[${name}] not found`);
  });

  app.put('/v1/plugins/reload', { onRequest: refuseBrowsers }, async (_request, reply) => {
    await reloadPlugins();
    return reply.type('text/plain').send('done');
  });
}

/** Of `GET /v1/schema`, by name. Absent members are left out of the JSON. */
export function showPlugins(plugins: ReadonlyMap<string, ShownPlugin>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Array.from(plugins, ([name, { priority, version, schema, metadataSchema }]) => [
      name,
      { priority, version, schema: withMeta(schema), metadata_schema: metadataSchema },
    ]),
  );
}
