import { withMeta } from '@apisix-ts/config';
import { answer, refuse } from '../answer.ts';
import type { PluginFacts, Subsystem } from '../plugin-facts.ts';
import type { AdminContext, Handlers } from './handler.ts';

/** `plugins/<name>`, and `plugins?all=true`. */
export function pluginHandlers({ plugins }: AdminContext): Handlers {
  return {
    GET({ id, query }) {
      const subsystem = query.get('subsystem') ?? 'http';
      if (!isSubsystem(subsystem)) return refuse(400, `unsupported subsystem: ${subsystem}`);
      const known = plugins().filter((plugin) => plugin.subsystems.includes(subsystem));
      if (id === undefined && query.get('all') === 'true') {
        return answer(200, Object.fromEntries(known.map((plugin) => [plugin.name, describe(plugin)])));
      }
      const plugin = known.find(({ name }) => name === id);
      if (plugin === undefined) return refuse(404, `plugin not found in subsystem ${subsystem}`);
      const schema =
        query.get('schema_type') === 'consumer' ? plugin.consumerSchema : withMeta(plugin.schema);
      return schema === undefined ? refuse(400, 'not found schema') : answer(200, schema);
    },
  };
}

/** `plugins/list`: names, the one that runs first first. */
export function pluginListHandlers({ plugins }: AdminContext): Handlers {
  return {
    GET({ query }) {
      const subsystem = query.get('subsystem') ?? 'http';
      if (!isSubsystem(subsystem)) return refuse(400, 'invalid subsystem passed');
      const known = plugins().filter((plugin) => plugin.subsystems.includes(subsystem));
      const ordered = known.toSorted((a, b) => b.priority - a.priority);
      return answer(
        200,
        ordered.map(({ name }) => name),
      );
    },
  };
}

/** `plugins/reload`. */
export function pluginReloadHandlers({ reloadPlugins }: AdminContext): Handlers {
  const refused = ['GET', 'POST', 'PATCH', 'DELETE'].map((method) => [
    method,
    () => refuse(405, `please use PUT method to reload the plugins, ${method} method is not allowed.`),
  ]);
  return {
    ...Object.fromEntries(refused),
    async PUT() {
      try {
        await reloadPlugins();
        return { status: 200, body: { text: 'done' } };
      } catch (error) {
        return refuse(503, error instanceof Error ? error.message : String(error));
      }
    },
  };
}

function isSubsystem(name: string): name is Subsystem {
  return name === 'http' || name === 'stream';
}

/** Absent members are left out of the JSON. */
function describe(plugin: PluginFacts): unknown {
  const { version, priority, schema, metadataSchema, consumerSchema, type, scope } = plugin;
  return {
    version,
    priority,
    schema: withMeta(schema),
    metadata_schema: metadataSchema,
    consumer_schema: consumerSchema,
    type,
    scope,
  };
}
