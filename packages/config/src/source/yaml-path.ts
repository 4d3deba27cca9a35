import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Document, Pair, YAMLMap } from 'yaml';
import type { KeyPath } from './key-path.ts';

/** Follows a path as far as the document goes: the offset of the last key or item found, and the node at the end. */
export function walk(
  document: Document,
  path: KeyPath,
): { readonly offset?: number; readonly node?: unknown } {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    const inside = isAlias(node) ? node.resolve(document) : node;
    if (typeof step === 'number') {
      node = isSeq(inside) ? inside.items[step] : undefined;
      if (node !== undefined) offset = offsetOf(node);
    } else {
      const pair = isMap(inside) ? findPair(document, inside, step) : undefined;
      node = pair?.value;
      if (pair !== undefined) offset = offsetOf(pair.key);
    }
    if (node === undefined) return offset === undefined ? {} : { offset };
  }
  return offset === undefined ? { node } : { node: isAlias(node) ? node.resolve(document) : node, offset };
}

/** The last pair with this key, else the one that a merge key `<<` brings in. */
function findPair(document: Document, map: YAMLMap, name: string): Pair | undefined {
  const own = map.items.findLast((pair) => keyText(pair.key) === name);
  if (own !== undefined) return own;

  for (const { key, value } of map.items) {
    if (keyText(key) !== '<<') continue;
    for (const source of isSeq(value) ? value.items : [value]) {
      const merged = isAlias(source) ? source.resolve(document) : source;
      const pair = isMap(merged) ? findPair(document, merged, name) : undefined;
      if (pair !== undefined) return pair;
    }
  }
  return undefined;
}

/** A key as text; the merge key, which the parser makes a symbol, is `<<`. */
export function keyText(key: unknown): string {
  const value: unknown = isScalar(key) ? key.value : null;
  if (typeof value === 'symbol') return '<<';
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

/** Where a node begins. */
export function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
