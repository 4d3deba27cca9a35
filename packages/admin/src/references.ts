import { idText, memberAt, pluginReferencesOf } from '@apisix-ts/config';
import type { Document, Reference, ResourceKind } from '@apisix-ts/config';
import type { Documents } from './duplicates.ts';
import { rulesFor } from './kind-rules.ts';

/** How to answer when a resource cannot be named: these words, and why. */
export function refusalOf({ segment, id }: Reference, kinds: readonly ResourceKind[]): string {
  const word = kinds.find((target) => target.segment === segment)?.word ?? segment;
  return `failed to fetch ${word} info by ${word} id [${id}]`;
}

/** May a resource of this kind be named by others, so that deleting it needs a look at them? */
export function isReferable(kind: ResourceKind, kinds: readonly ResourceKind[]): boolean {
  if (kind.segment === 'protos') return true;
  return kinds.some((referrer) => Object.values(referrer.references).includes(kind.segment));
}

/**
 * Why the resource cannot be deleted: the first one that still uses it, by its own field or in a plugin.
 * @returns undefined when nothing does.
 */
export function findUse(
  kind: ResourceKind,
  id: string,
  kinds: readonly ResourceKind[],
  documents: Documents,
): string | undefined {
  const refused = `can not delete this ${kind.word}${rulesFor(kind.segment).refusal}`;
  // Routes come last among the kinds, and are told first by the reference.
  for (const referrer of kinds.toReversed()) {
    const fields = fieldsNaming(referrer, kind.segment);
    for (const [user, document] of documents.entries(referrer.segment)) {
      if (fields.some((field) => isNamed(memberAt(document, field), id))) {
        return `${refused}, ${referrer.name} [${user}] is still using it now`;
      }
      if (!isNamedByPlugin(document, kind.segment, id)) continue;
      // As the reference says it.
      if (kind.segment === 'protos') return `${refused}, ${referrer.name} [${user}] is still using it now`;
      const name = rulesFor(referrer.segment).userName ?? referrer.name;
      return `${refused}, plugin in ${name} [${user}] is still using it now`;
    }
  }
  return undefined;
}

function fieldsNaming(referrer: ResourceKind, segment: string): readonly string[] {
  return Object.keys(referrer.references).filter((field) => referrer.references[field] === segment);
}

/** A stored id may be a number. */
function isNamed(value: unknown, id: string): boolean {
  return value !== undefined && idText(value) === id;
}

function isNamedByPlugin(document: Document, segment: string, id: string): boolean {
  return pluginReferencesOf(document).some((named) => named.segment === segment && named.id === id);
}
