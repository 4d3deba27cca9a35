import { Script, createContext } from 'node:vm';

/** Which of some texts a pattern is found in. */
export type PatternSearch = { readonly found: ReadonlySet<string> } | { readonly wrong: string };

/**
 * How long one search may take, in milliseconds. It stands between a pattern that backtracks without end and the
 * thread that all control endpoints share.
 */
const searchLimitMs = 500;

const script = new Script('texts.filter((text) => pattern.test(text))');

/** Searches `texts` for a regular expression, anywhere in them. */
export function searchPattern(source: string, texts: Iterable<string>): PatternSearch {
  try {
    const context = createContext({ pattern: new RegExp(source), texts: [...new Set(texts)] });
    // Typed as any; it is what `filter` makes of an array of strings.
    const found: readonly string[] = script.runInContext(context, { timeout: searchLimitMs });
    return { found: new Set(found) };
  } catch (error) {
    if (error instanceof SyntaxError) return { wrong: error.message };
    return { wrong: `the search took longer than ${searchLimitMs} ms` };
  }
}
