import { isDisabled } from '@apisix-ts/config';
import type { DocumentChange, PluginsField } from '@apisix-ts/config';
import type { PluginUpstream, StreamPlugin } from '@apisix-ts/core';
import { pluginUpstreamKey } from './plugin-upstream-key.ts';

/** The plugins that a gateway has, by name. */
type EnabledPlugins = ReadonlyMap<string, StreamPlugin>;

/** The keys of all upstreams that the plugins of a route or service may send sessions to. */
export function pluginUpstreamKeys(
  { kind, id, document }: DocumentChange,
  enabled: EnabledPlugins,
): readonly string[] {
  const keys = upstreamsIn(document, enabled).map(([name, upstream]) =>
    pluginUpstreamKey(`${kind}/${id}`, name, upstream),
  );
  return keys.length === 0 ? NO_KEYS : [...new Set(keys)];
}

/**
 * Knows the upstreams that the plugins of routes and services have within them. Each is looked at as a document of its own,
 * the `upstream` of a resource below that of the plugin, and so has the names, secrets and health checks of any other.
 */
export class PluginUpstreams {
  readonly #enabled: EnabledPlugins;
  /** By owner: the kinds and ids that its upstreams have been given. */
  readonly #given = new Map<string, readonly Pick<DocumentChange, 'kind' | 'id'>[]>();

  constructor(enabled: EnabledPlugins) {
    this.#enabled = enabled;
  }

  /** The upstreams within a route or service as changes: those it has, and after them those that it has no more. */
  changesWith({ kind, id, document }: DocumentChange): readonly DocumentChange[] {
    const owner = `${kind}/${id}`;
    const present = upstreamsIn(document, this.#enabled).flatMap(([name, upstream]) =>
      'id' in upstream
        ? []
        : [
            {
              kind: `${owner}/plugins/${name}`,
              id: upstream.place,
              document: { upstream: upstream.upstream },
            },
          ],
    );
    const former = this.#given.get(owner);
    if (present.length === 0 && former === undefined) return NO_CHANGES;
    if (present.length === 0) this.#given.delete(owner);
    else
      this.#given.set(
        owner,
        present.map((change) => ({ kind: change.kind, id: change.id })),
      );
    const gone = (former ?? []).filter(
      (place) => !present.some((change) => change.kind === place.kind && change.id === place.id),
    );
    return [...present, ...gone.map((place) => ({ ...place, document: undefined }))];
  }
}

const NO_CHANGES: readonly DocumentChange[] = [];
const NO_KEYS: readonly string[] = [];

/** @returns them with the names of their plugins. One that is switched off has none: it may be wrong. */
function upstreamsIn(
  document: DocumentChange['document'],
  enabled: EnabledPlugins,
): readonly (readonly [plugin: string, upstream: PluginUpstream])[] {
  // The snapshot only hands out configurations that were checked if their plugin is there.
  const plugins = document?.['plugins'] as Readonly<Record<string, PluginsField>> | undefined;
  if (plugins === undefined) return [];
  return Object.entries(plugins).flatMap(([name, configuration]) => {
    const found = isDisabled(configuration) ? undefined : enabled.get(name)?.upstreams?.(configuration);
    return (found ?? []).map((upstream) => [name, upstream] as const);
  });
}
