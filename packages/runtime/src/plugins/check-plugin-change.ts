import { checkResource, resourceKinds } from '@apisix-ts/config';
import type { Document, DocumentView, Settings } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { checkContextOf } from './enabled-plugins.ts';
import type { EnabledPlugins } from './enabled-plugins.ts';

/** Whether what a document means hangs on the plugins there are. */
export function dependsOnPlugins(kind: string, document: Document): boolean {
  return kind === 'plugin_metadata' || document['plugins'] !== undefined;
}

/** Resources that are named in an error. */
const MOST_NAMED = 3;

/**
 * A plugin that was off may be configured in resources that nobody has checked for it.
 * @throws GatewayError `PLUGINS_UNUSABLE` where one of them would no longer be valid with it.
 */
export function checkPluginChange(
  { stream_plugins: names }: Pick<Settings, 'stream_plugins'>,
  { byName: present }: EnabledPlugins,
  documents: DocumentView,
): void {
  if (names.every((name) => present.has(name))) return;
  const context = { ...checkContextOf({ stream_plugins: names }), isStored: true };
  const faults: string[] = [];
  for (const kind of resourceKinds) {
    for (const [id, document] of documents.entries(kind.segment)) {
      if (!dependsOnPlugins(kind.segment, document)) continue;
      const checked = checkResource(kind, document, context);
      if (!checked.ok) faults.push(`${kind.segment}/${id}: ${checked.message}`);
    }
  }
  if (faults.length === 0) return;
  const more = faults.length - MOST_NAMED;
  throw new GatewayError(
    'PLUGINS_UNUSABLE',
    `stream_plugins stays as it was, because with the new list these resources are wrong: ${faults.slice(0, MOST_NAMED).join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
  );
}
