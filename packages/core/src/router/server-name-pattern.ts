import { normalizeServerName } from '../tls/server-name.ts';

/** What a route's `sni` asks for: one name, or every name with an ending. */
export interface ServerNamePattern {
  /** `suffix` of `*.example.com` is `.example.com`, of `*` the empty text. */
  readonly kind: 'exact' | 'suffix';
  readonly text: string;
}

/**
 * `example.com`; `*.example.com`, which as in the reference stands for any number of labels before the ending, and at
 * least one; `*ample.com`, any name that ends so; `*`, any name. Case and one trailing dot do not matter.
 */
function parseServerNamePattern(pattern: string): ServerNamePattern {
  const text = normalizeServerName(pattern);
  return text.startsWith('*') ? { kind: 'suffix', text: text.slice(1) } : { kind: 'exact', text };
}

/** The different patterns among `names`. */
export function parseServerNamePatterns(names: readonly string[]): readonly ServerNamePattern[] {
  return [...new Set(names.map(normalizeServerName))].map(parseServerNamePattern);
}
