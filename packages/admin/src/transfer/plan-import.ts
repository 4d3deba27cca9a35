import { isDeepStrictEqual } from 'node:util';
import { isMap, openPrivateKeys, placeOfKey, sealPrivateKeys } from '@apisix-ts/config';
import type { CheckContext, Document, ResourceKind, Revision, StoreSnapshot } from '@apisix-ts/config';
import { rulesFor } from '../kind-rules.ts';
import { differences } from './differences.ts';
import { findImportFaults } from './import-faults.ts';
import type { ImportFault, ImportReport, UpdatedResource } from './import-report.ts';

/** One resource to import, as a file has it. */
export interface ImportItem {
  /** As in the store: `stream_routes/mysql`, `consumers/jack/credentials/1`; or `plugins`, with a list. */
  readonly key: string;
  readonly value: unknown;
}

export interface ImportOptions {
  readonly kinds: readonly ResourceKind[];
  /** The plugins and balancers there are. What others name is taken over unchecked, as what is found in a store. */
  readonly checkContext: CheckContext;
  /** Opens private keys and encrypts them. */
  readonly keyring: readonly string[];
  /** Delete what is in the store and not among the items. Default false. */
  readonly prune?: boolean;
  /** Unix seconds, for resources without times. */
  readonly nowSeconds: number;
}

/** One key to write or to delete, if it still is at the revision that was read; 0 is that it is absent. */
export interface PlannedChange {
  readonly key: string;
  readonly expected: Revision;
  /** The text to store; absent for a deletion. */
  readonly value?: string;
}

export interface ImportPlan {
  /** What comes first must be done first: what is named before what names it, and deletions the other way round. */
  readonly steps: readonly (readonly PlannedChange[])[];
  readonly report: ImportReport;
}

/** A resource on its way into the store. */
export interface Draft {
  readonly key: string;
  readonly kind: ResourceKind;
  /** As a `DocumentView` has it. */
  readonly id: string;
  /** As it is to be stored, except that private keys are open. */
  readonly document: Document;
}

/**
 * Finds out what an import has to change, and whether it may: each resource is checked, what it names must be there in
 * the end, and nothing may stand there twice.
 * @param stored all of the store.
 */
export function planImport(
  items: readonly ImportItem[],
  stored: StoreSnapshot,
  options: ImportOptions,
): ImportPlan | { readonly faults: readonly ImportFault[] } {
  const { kinds, keyring, prune = false } = options;
  const kindOf = new Map(kinds.map((kind) => [kind.segment, kind]));
  const before = readStored(stored, kindOf, keyring);
  const drafts: Draft[] = [];
  const faults: ImportFault[] = [];
  const pluginList = items.find(({ key }) => key === pluginsKey);
  for (const item of items) {
    if (item === pluginList) continue;
    const draft = toDraft(item, kindOf, keyring);
    if ('message' in draft) faults.push(draft);
    else drafts.push(draft);
  }
  const imported = new Map(drafts.map((draft) => [draft.key, draft]));
  const missing = [...before.values()].filter(({ key, kind }) => kind !== undefined && !imported.has(key));
  const staying = prune ? [] : missing;
  faults.push(...findImportFaults(drafts, staying, options));
  if (faults.length > 0) return { faults };

  const created: string[] = [];
  const updated: UpdatedResource[] = [];
  const writes = new Map<string, PlannedChange[]>(kinds.map(({ segment }) => [segment, []]));
  let unchanged = 0;
  for (const draft of drafts) {
    const { key, kind } = draft;
    const former = before.get(key);
    const content = contentOf(kind, draft.document);
    const formerContent = former?.document && contentOf(kind, former.document);
    if (formerContent !== undefined && isDeepStrictEqual(formerContent, content)) {
      unchanged += 1;
      continue;
    }
    const document = withTimes(draft, former?.document, options.nowSeconds);
    const value = JSON.stringify(sealPrivateKeys(kind, document, keyring));
    writes.get(kind.segment)?.push({ key, expected: former?.modRevision ?? 0, value });
    if (former === undefined) created.push(key);
    else updated.push({ key, changes: differences(kind, formerContent ?? {}, content) });
  }

  const pluginSteps: PlannedChange[] = [];
  if (pluginList !== undefined) {
    const former = before.get(pluginsKey);
    const value = JSON.stringify(pluginList.value);
    if (former?.text !== value)
      pluginSteps.push({ key: pluginsKey, expected: former?.modRevision ?? 0, value });
    if (former === undefined) created.push(pluginsKey);
    else if (former.text === value) unchanged += 1;
    else updated.push({ key: pluginsKey, changes: [{ path: '', from: former.text, to: value }] });
  }

  const deletions = kinds
    .toReversed()
    .map(({ segment }) => (prune ? missing.filter(({ kind }) => kind?.segment === segment) : []))
    .map((gone) => gone.map(({ key, modRevision }) => ({ key, expected: modRevision })));
  return {
    steps: [...writes.values(), pluginSteps, ...deletions].filter((step) => step.length > 0),
    report: {
      created,
      updated,
      deleted: deletions.flat().map(({ key }) => key),
      kept: staying.map(({ key }) => key),
      unchanged,
      warnings: unknownPlugins(drafts, options.checkContext),
    },
  };
}

const pluginsKey = 'plugins';

export interface StoredResource {
  readonly key: string;
  /** Undefined for the list of plugins. */
  readonly kind: ResourceKind | undefined;
  readonly id: string;
  readonly text: string;
  readonly modRevision: Revision;
  /** With open private keys, where they can be opened; undefined when it cannot be read. */
  readonly document: Document | undefined;
}

/** The resources of the store by key; what is none of them is passed over. */
function readStored(
  { entries }: StoreSnapshot,
  kindOf: ReadonlyMap<string, ResourceKind>,
  keyring: readonly string[],
): ReadonlyMap<string, StoredResource> {
  const found = new Map<string, StoredResource>();
  for (const { key, value: text, modRevision } of entries) {
    const { kind: segment, id } = placeOfKey(key);
    const kind = kindOf.get(segment);
    if (key !== pluginsKey && (kind === undefined || id === '')) continue;
    const parsed = parse(text);
    const document = kind && parsed && (openPrivateKeys(kind, parsed, keyring) ?? parsed);
    found.set(key, { key, kind, id, text, modRevision, document });
  }
  return found;
}

function parse(text: string): Document | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) ? value : undefined;
  } catch {
    // Whatever it is, the import replaces it.
    return undefined;
  }
}

function toDraft(
  { key, value }: ImportItem,
  kindOf: ReadonlyMap<string, ResourceKind>,
  keyring: readonly string[],
): Draft | ImportFault {
  const { kind: segment, id } = placeOfKey(key);
  const kind = kindOf.get(segment);
  if (kind === undefined || id === '') return { key, path: [], message: `${key} is the key of no resource` };
  if (!isMap(value)) return { key, path: [], message: `${key}: a resource must be a map` };
  const opened = openPrivateKeys(kind, value, keyring);
  if (opened === undefined) {
    const message = `${key}: failed to decrypt previous encrypted key: no key of apisix.data_encryption.keyring opens it`;
    return { key, path: [], message };
  }
  return { key, kind, id, document: identified(kind, id, opened) };
}

/** The id as the Admin API stores it. */
function identified({ segment }: ResourceKind, viewId: string, document: Document): Document {
  const { id: written, ...rest } = document;
  const { isIdStored, above } = rulesFor(segment);
  if (!isIdStored) return rest;
  if (above !== undefined) return { ...rest, id: viewId.slice(viewId.lastIndexOf('/') + 1) };
  return { ...rest, id: typeof written === 'number' ? written : viewId };
}

/** Without its times, which are no content. */
function contentOf({ segment }: ResourceKind, document: Document): Document {
  if (!rulesFor(segment).hasTimes) return document;
  const { create_time: _created, update_time: _updated, ...content } = document;
  return content;
}

/**
 * The document with its times: a resource keeps those it comes with, for it only moves, unless it replaces one that was
 * updated as late or later.
 */
function withTimes(
  { kind: { segment }, document }: Draft,
  former: Document | undefined,
  nowSeconds: number,
): Document {
  if (!rulesFor(segment).hasTimes) return document;
  const { create_time: created, update_time: updated, ...content } = document;
  const isOutdated = updated === undefined || Number(updated) <= Number(former?.['update_time'] ?? 0);
  return {
    ...content,
    create_time: created ?? former?.['create_time'] ?? nowSeconds,
    update_time: isOutdated ? nowSeconds : updated,
  };
}

function unknownPlugins(
  drafts: readonly Draft[],
  { plugins, streamPlugins }: CheckContext,
): readonly string[] {
  const users = new Map<string, string[]>();
  for (const { key, document } of drafts) {
    for (const name of Object.keys(isMap(document['plugins']) ? document['plugins'] : {})) {
      if (!plugins.has(name) && !streamPlugins.has(name)) users.set(name, [...(users.get(name) ?? []), key]);
    }
  }
  return [...users].map(([name, [first = '', ...others]]) => {
    const who = others.length === 0 ? first : `${first} and ${others.length} more`;
    return `the plugin ${name} is not known here: what ${who} configure for it is not checked, and not in effect`;
  });
}
