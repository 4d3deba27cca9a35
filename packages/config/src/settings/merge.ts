import { isMap } from '../source/key-path.ts';
import type { KeyPath } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';

type Tree = Readonly<Record<string, unknown>>;

/**
 * The user's settings over the defaults, as the reference merges them: null removes a default, a list or an empty map
 * replaces it, a map is merged key by key, a scalar replaces one of the same type. Everything in the result is a copy.
 * @param problems gets one entry for each value that does not fit; the default stays in its place.
 */
export function merge(defaults: Tree, user: Tree, problems: Problem[], path: KeyPath = []): Tree {
  const merged = new Map<string, unknown>();
  for (const [key, value] of Object.entries(defaults)) merged.set(key, copy(value));

  for (const [key, value] of Object.entries(user)) {
    const here = [...path, key];
    const fallback = merged.get(key);
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, mergeValue(fallback, value, problems, here));
  }
  return Object.fromEntries(merged);
}

function mergeValue(fallback: unknown, value: unknown, problems: Problem[], path: KeyPath): unknown {
  const isTable = typeof value === 'object';
  if (fallback === undefined) return isMap(value) ? merge({}, value, problems, path) : copy(value);
  if (Array.isArray(value) || (isMap(value) && Object.keys(value).length === 0)) return copy(value);
  if (isTable && Array.isArray(fallback)) return copy(value); // A list that is a map: the schema says what is wrong.
  if (isMap(value) && isMap(fallback)) return merge(fallback, value, problems, path);
  if (luaType(value) === luaType(fallback) || isEitherType(path, value, fallback)) return value;

  problems.push({
    code: 'SETTINGS_INVALID',
    text: `failed to merge, path[${path.join('->')}] expect: ${luaType(fallback)}, but got: ${luaType(value)}`,
    path,
    expected: Array.isArray(fallback) ? 'a list' : isMap(fallback) ? 'a map' : `a ${typeof fallback}`,
  });
  return fallback;
}

/** Where the reference takes another type than its default has. */
function isEitherType(path: KeyPath, value: unknown, fallback: unknown): boolean {
  const type = typeof value;
  switch (path.join('->')) {
    case 'apisix->node_listen':
      return type === 'number';
    case 'apisix->data_encryption->keyring':
      return type === 'string';
    default:
      return path[0] === 'nginx_config' && isText(type) && isText(typeof fallback);
  }
}

function isText(type: string): boolean {
  return type === 'string' || type === 'number';
}

/** The reference names the types of Lua. */
function luaType(value: unknown): string {
  return typeof value === 'object' ? 'table' : typeof value;
}

/** Also leaves out what is null or undefined in a map. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return isMap(value) ? merge({}, value, []) : value;
}
