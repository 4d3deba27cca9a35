import type { Document, PrometheusAttributes } from '@apisix-ts/config';
import type { Gateway } from '@apisix-ts/runtime';

/**
 * How metrics call a route: by its id, or by its name, if it has one and that is asked for: by the settings for all routes, or
 * by the plugin `prometheus` of the route, otherwise of its service.
 */
export function routeLabel(
  id: string,
  { documents, plugins }: LabelSource,
  { prefer_name: prefersNames }: Pick<PrometheusAttributes, 'prefer_name'>,
): string {
  const route = documents.get('stream_routes', id);
  const name = route?.['name'];
  if (route === undefined || typeof name !== 'string') return id;
  if (prefersNames) return name;
  if (!plugins.has('prometheus')) return id;
  const service = documents.get('services', String(route['service_id']));
  const plugin = pluginOf(route) ?? pluginOf(service);
  return plugin?.prefer_name === true && plugin['_meta']?.disable !== true ? name : id;
}

interface LabelSource {
  readonly documents: Pick<Gateway['documents'], 'get'>;
  /** Those there are, by name. */
  readonly plugins: Pick<Gateway['plugins'], 'has'>;
}

interface PrometheusPlugin {
  readonly prefer_name?: boolean;
  readonly _meta?: { readonly disable?: boolean };
}

/** Documents in effect have been checked. */
function pluginOf(document: Document | undefined): PrometheusPlugin | undefined {
  return (document?.['plugins'] as { readonly prometheus?: PrometheusPlugin } | undefined)?.prometheus;
}
