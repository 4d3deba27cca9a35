import { resourceKinds } from '../resources/index.ts';
import { placeOfKey } from '../snapshot/key-place.ts';
import { isMap } from '../source/key-path.ts';
import type { KeyPath } from '../source/key-path.ts';
import { showPlace } from '../source/problem.ts';
import type { Problem, Source } from '../source/problem.ts';
import { findMisspelled } from './misspelled.ts';

/** One resource of a file. */
export interface ResourceItem {
  /** As in a store: `stream_routes/mysql`. */
  readonly key: string;
  /** The segment of its kind; that of a credential is `credentials`, though it stands among the consumers. */
  readonly kind: string;
  /** Empty for the list of plugins. */
  readonly id: string;
  /** Where the file has it. */
  readonly path: KeyPath;
  /** What the file has; a JSON value of any type. */
  readonly value: unknown;
  /** The same as a store keeps it: JSON. */
  readonly text: string;
}

export interface CollectedItems {
  readonly items: readonly ResourceItem[];
  readonly unreadKinds: readonly string[];
  readonly problems: readonly Problem[];
  readonly duplicates: readonly Problem[];
  readonly warnings: readonly string[];
}

/** The plugins that are loaded: no kind of resource, one list. */
const plugins = 'plugins';

/** The kinds that are keys of the file; credentials stand among the consumers. */
const segments: readonly string[] = resourceKinds
  .map(({ segment }) => segment)
  .filter((segment) => segment !== 'credentials');

/** Gives every item of the file its key, and finds what only the whole file can tell. */
export function collectItems(source: Source): CollectedItems {
  const items = new Map<string, ResourceItem>();
  const unreadKinds: string[] = [];
  const problems: Problem[] = [];
  const duplicates: Problem[] = [];

  for (const segment of segments) {
    const list = listOf(source.tree[segment]);
    if (list === undefined) {
      unreadKinds.push(segment);
      problems.push(noList(segment));
      continue;
    }
    for (const [index, value] of list.entries()) {
      const item = toItem(segment, index, value);
      if ('code' in item) {
        problems.push(item);
        continue;
      }
      const earlier = items.get(item.key);
      if (earlier !== undefined) duplicates.push(duplicate(item, earlier, source));
      // The place of the last one counts too.
      items.delete(item.key);
      items.set(item.key, item);
    }
  }

  const pluginList = listOf(source.tree[plugins]);
  const fault = pluginList === undefined ? noList(plugins) : pluginFault(pluginList);
  if (fault !== undefined) {
    unreadKinds.push(plugins);
    problems.push(fault);
  } else if (source.tree[plugins] !== undefined) {
    items.set(plugins, {
      key: plugins,
      kind: plugins,
      id: '',
      path: [plugins],
      value: pluginList,
      text: JSON.stringify(pluginList),
    });
  }

  const warnings = findMisspelled(Object.keys(source.tree), [...segments, plugins]).map(
    ({ key, why }) =>
      `${showPlace(source, source.locate([key]))}"${key}" is no kind of resource and is ignored; ${why}`,
  );
  return { items: [...items.values()], unreadKinds, problems, duplicates, warnings };
}

/** The items of a kind; nothing, and an empty map, are an empty list. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  return isMap(value) && Object.keys(value).length === 0 ? [] : undefined;
}

function noList(segment: string): Problem {
  return invalid(`${segment} is not read: it must be a list`, [segment], 'a list');
}

function pluginFault(list: readonly unknown[]): Problem | undefined {
  const index = list.findIndex((entry) => !isMap(entry) || typeof entry['name'] !== 'string');
  if (index < 0) return undefined;
  return invalid(
    `plugins is not read: every entry needs a name`,
    [plugins, index],
    'a map with name, and stream',
  );
}

function toItem(segment: string, index: number, value: unknown): ResourceItem | Problem {
  const path = [segment, index];
  const written = isMap(value) ? (value['id'] ?? value['username']) : undefined;
  const field = isMap(value) && (value['id'] ?? undefined) === undefined ? 'username' : 'id';
  if (written === undefined && segment === 'plugin_metadata') {
    return invalid('plugin_metadata without an id is ignored', [...path, 'id'], 'the name of a plugin');
  }

  const id = written === undefined ? `arr_${index + 1}` : toId(written);
  const key = `${segment}/${id}`;
  const kind = placeOfKey(key).kind;
  if (id === undefined || id === '' || !isKindIn(segment, kind) || !hasManager(segment, id)) {
    return invalid(
      `item ${index + 1} of ${segment} is ignored: its ${field} cannot be an id`,
      [...path, field],
      idRule(segment),
    );
  }
  const content = isMap(value) ? withoutIndex(value) : value;
  return { key, kind, id, path, value: content, text: JSON.stringify(content) };
}

/** Whole numbers that JavaScript would round are none. */
function toId(written: unknown): string | undefined {
  if (typeof written === 'string') return written;
  return Number.isSafeInteger(written) ? String(written) : undefined;
}

/** An id with slashes in it could make the key that of another kind. */
function isKindIn(segment: string, kind: string): boolean {
  return kind === segment || (segment === 'consumers' && kind === 'credentials');
}

function hasManager(segment: string, id: string): boolean {
  return segment !== 'secrets' || /^[^/]+\/[^/]+$/.test(id);
}

function idRule(segment: string): string {
  if (segment === 'secrets') return 'a manager and a name, as in vault/1';
  const credential = segment === 'consumers' ? ', or <consumer>/credentials/<id>' : '';
  return `text without slashes${credential}, or a whole number; one of more than 15 digits in quotes`;
}

/** The reference's own counter of versions; here a version is what the item says. */
function withoutIndex(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!Number.isInteger(value['modifiedIndex'])) return value;
  const { modifiedIndex: _, ...document } = value;
  return document;
}

function duplicate({ key, path }: ResourceItem, earlier: ResourceItem, source: Source): Problem {
  const line = source.locate(earlier.path)?.line;
  const where = line === undefined ? 'an earlier one' : `the one in line ${line}`;
  return {
    code: 'RESOURCE_INVALID',
    text: `${key} is written a second time and replaces ${where}`,
    path: [],
    ...placeOf(source, path),
  };
}

function placeOf(source: Source, path: KeyPath): Pick<Problem, 'at'> {
  const at = source.locate(path);
  return at === undefined ? {} : { at };
}

function invalid(text: string, path: KeyPath, expected: string): Problem {
  return { code: 'RESOURCE_INVALID', text, path, expected };
}
