import type { Document } from '@apisix-ts/config';

/** Is it a JSON object, as opposed to an array, a scalar or null? */
export function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A JSON merge patch (RFC 7396), which is what PATCH does to a whole resource: objects merge member by member, null
 * removes a member, everything else replaces. So an empty object changes nothing where there is an object already.
 * Neither argument is changed.
 */
export function mergePatch(stored: Document, patch: Document): Document {
  const merged = new Map(Object.entries(stored));
  for (const [name, value] of Object.entries(patch)) {
    const before = merged.get(name);
    if (value === null) merged.delete(name);
    else if (isObject(value)) merged.set(name, mergePatch(isObject(before) ? before : {}, value));
    else merged.set(name, value);
  }
  // Not built by assignment: that would take a member named `__proto__` for the prototype.
  return Object.fromEntries(merged);
}

/**
 * Puts `value` in the place of the member at `path`, which has at least one segment; objects missing on the way are
 * made. Nothing is merged, and null is a value like any other. `stored` is not changed.
 * @returns undefined when something on the way is not an object.
 */
export function replaceAt(stored: Document, path: readonly string[], value: unknown): Document | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return undefined;
  const members = new Map(Object.entries(stored));
  if (rest.length === 0) return Object.fromEntries(members.set(name, value));
  const inner = members.has(name) ? members.get(name) : {};
  const replaced = isObject(inner) ? replaceAt(inner, rest, value) : undefined;
  return replaced && Object.fromEntries(members.set(name, replaced));
}
