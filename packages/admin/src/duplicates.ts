import { fingerprint } from '@apisix-ts/config';
import type { Document, DocumentView } from '@apisix-ts/config';
import { isObject } from './patch.ts';

/** The part of a `DocumentView` that looks at other resources need. */
export type Documents = Pick<DocumentView, 'entries'>;

/**
 * Why a document cannot stand beside the others.
 * @param id the document's own, as the view has it.
 */
export type FindDuplicate = (
  segment: string,
  id: string,
  document: Document,
  documents: Documents,
) => string | undefined;

/** A plugin stands in one global rule only. */
export const duplicatePlugin: FindDuplicate = (segment, id, document, documents) => {
  const own = pluginsOf(document);
  for (const [other, rule] of documents.entries(segment)) {
    const plugin = other === id ? undefined : Object.keys(pluginsOf(rule)).find((name) => name in own);
    if (plugin !== undefined) return `plugin '${plugin}' already exists in global rule with id '${other}'`;
  }
  return undefined;
};

/** The field by which a plugin finds out who the client is. */
const attributes: Readonly<Record<string, string>> = {
  'key-auth': 'key',
  'basic-auth': 'username',
  'jwt-auth': 'key',
  'hmac-auth': 'key_id',
  'ldap-auth': 'user_dn',
  'ldap-auth-advanced': 'user_dn',
};

/** No two consumers or credentials can be told apart if they show the same. */
export const duplicateCredential: FindDuplicate = (segment, id, document, documents) => {
  const own = identities(document);
  if (own.size === 0) return undefined;
  for (const holder of ['consumers', 'credentials']) {
    for (const [other, held] of documents.entries(holder)) {
      const plugin = holder === segment && other === id ? undefined : sharedIdentity(own, held);
      if (plugin === undefined) continue;
      return `duplicate ${attributes[plugin]} of plugin ${plugin} found with ${nameOf(holder, other)}`;
    }
  }
  return undefined;
};

/**
 * What a document shows of itself that no other may show, a word each: of a global rule its plugins, of consumers and
 * credentials what tells them apart.
 */
export function claimsOf(segment: string, document: Document): readonly string[] {
  if (segment === 'global_rules') return Object.keys(pluginsOf(document)).map((name) => `plugin ${name}`);
  if (segment !== 'consumers' && segment !== 'credentials') return [];
  return [...identities(document)].map(
    ([plugin, identity]) => `${attributes[plugin]} of plugin ${plugin} ${fingerprint(identity)}`,
  );
}

function sharedIdentity(own: ReadonlyMap<string, string>, other: Document): string | undefined {
  for (const [plugin, identity] of identities(other)) if (own.get(plugin) === identity) return plugin;
  return undefined;
}

/** By the plugin's name. */
function identities(document: Document): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [plugin, configuration] of Object.entries(pluginsOf(document))) {
    const attribute = Object.hasOwn(attributes, plugin) ? attributes[plugin] : undefined;
    const value = attribute !== undefined && isObject(configuration) ? configuration[attribute] : undefined;
    if (typeof value === 'string') found.set(plugin, value);
  }
  return found;
}

/** A credential's id is `jack/credentials/1`. */
function nameOf(holder: string, id: string): string {
  if (holder === 'consumers') return `consumer: ${id}`;
  const [consumer, , credential] = id.split('/');
  return `credential: ${credential} of consumer: ${consumer}`;
}

function pluginsOf({ plugins }: Document): Document {
  return isObject(plugins) ? plugins : {};
}
