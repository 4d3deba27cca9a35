/** As deep as the reference's JSON parser goes; a deeper document is not configuration. */
const maxDepth = 1000;

/**
 * A deep copy of a JSON value.
 * @throws RangeError below `maxDepth`.
 */
export function copyJson(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) throw new RangeError(tooDeep);
  if (Array.isArray(value)) return value.map((item) => copyJson(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') defineMember(copy, key, copyJson(member, depth + 1));
    else copy[key] = copyJson(member, depth + 1);
  }
  return copy;
}

/** What is wrong with a JSON value that no check would take, whatever its schema; undefined: nothing is. */
export function depthFault(value: unknown, depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= maxDepth) return tooDeep;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const member of members) {
    const fault = depthFault(member, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const tooDeep = `nested more than ${maxDepth} levels deep`;

/** JSON.parse makes `__proto__` a member like any other; a plain assignment would replace the prototype. */
function defineMember(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
