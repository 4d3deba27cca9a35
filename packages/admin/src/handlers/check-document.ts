import {
  checkResource,
  compileSchema,
  isDisabled,
  openPrivateKeys,
  placeOfKey,
  pluginReferencesOf,
  referencesOf,
  sealPrivateKeys,
} from '@apisix-ts/config';
import type { CheckContext, Document, Reference, ResourceKind } from '@apisix-ts/config';
import { rulesFor } from '../kind-rules.ts';
import { isObject } from '../patch.ts';
import { refusalOf } from '../references.ts';
import { currentDocuments } from './current-documents.ts';
import type { AdminContext } from './handler.ts';

const checkObject = compileSchema({ type: 'object' });

/** The body of a PUT or a POST as a document; an empty array is an empty one. */
export function objectBody(body: unknown): { readonly document: Document } | { readonly wrong: string } {
  if (body === undefined) return { wrong: 'missing configurations' };
  if (isObject(body)) return { document: body };
  const checked = checkObject(body);
  if (!checked.ok) return { wrong: `invalid configuration: ${checked.message}` };
  return { document: isObject(checked.value) ? checked.value : {} };
}

export type Admission =
  | {
      /** As it is to be stored: private keys are encrypted. */
      readonly document: Document;
    }
  | { readonly wrong: string };

/**
 * Finds the first reason why the document cannot be stored: in itself, then in what it refers to, then beside others.
 * @param id as a `DocumentView` has it; undefined for one that is new.
 */
export async function admit(
  kind: ResourceKind,
  document: Document,
  context: AdminContext,
  id: string | undefined,
): Promise<Admission> {
  const opened = openPrivateKeys(kind, document, context.keyring);
  if (opened === undefined) return { wrong: undecipherable };
  const wrong =
    context.fault(kind, opened) ??
    (await referenceFault(kind, opened, context)) ??
    (await duplicateFault(kind, opened, context, id));
  return wrong === undefined ? { document: sealPrivateKeys(kind, opened, context.keyring) } : { wrong };
}

/** What is wrong with a document by itself, its keys encrypted or not. */
export function documentFault(
  kind: ResourceKind,
  document: Document,
  { keyring, fault }: Pick<AdminContext, 'keyring' | 'fault'>,
): string | undefined {
  const opened = openPrivateKeys(kind, document, keyring);
  return opened === undefined ? undecipherable : fault(kind, opened);
}

/** The check of documents by themselves, with the plugins and balancers there are. */
export function createFault(checkContext: CheckContext): AdminContext['fault'] {
  return (kind, document) => {
    const checked = checkResource(kind, document, checkContext);
    return checked.ok ? undefined : checked.message;
  };
}

const undecipherable = 'failed to decrypt previous encrypted key';

async function referenceFault(
  kind: ResourceKind,
  document: Document,
  { kinds, resources }: AdminContext,
): Promise<string | undefined> {
  for (const reference of [...referencesOf(kind, document), ...enabledReferencesOf(document)]) {
    const { segment, id } = reference;
    const named = await resources.read(segment, id);
    const target = kinds.find((candidate) => candidate.segment === segment);
    const reason = named === undefined ? 'response code: 404' : target?.unfit?.(named.document);
    if (reason !== undefined) return `${refusalOf(reference, kinds)}, ${reason}`;
  }
  return undefined;
}

/** A plugin that is switched off may be wrong. */
function enabledReferencesOf(document: Document): readonly Reference[] {
  const { plugins } = document;
  if (!isObject(plugins)) return [];
  const enabled = Object.entries(plugins).filter(
    ([, configuration]) => !isObject(configuration) || !isDisabled(configuration),
  );
  return pluginReferencesOf({ plugins: Object.fromEntries(enabled) });
}

async function duplicateFault(
  { segment }: ResourceKind,
  document: Document,
  context: AdminContext,
  id: string | undefined,
): Promise<string | undefined> {
  const { duplicate } = rulesFor(segment);
  if (duplicate === undefined) return undefined;
  return duplicate(segment, id ?? '', document, await currentDocuments(context));
}

/** `1` in `routes` is called that; in `consumers/jack/credentials` it is `jack/credentials/1`. */
export function viewId(directory: string, id: string): string {
  return placeOfKey(`${directory}/${id}`).id;
}
