import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Which of some texts a pattern is found in. */
export type PatternSearch = { readonly found: ReadonlySet<string> } | { readonly wrong: string };

/** How long one search may take, in milliseconds: a pattern may backtrack without end. */
const searchLimitMs = 500;

/** What the thread of a search runs. */
const program = `
const { parentPort, workerData: { source, texts } } = require('node:worker_threads');
const pattern = new RegExp(source);
parentPort.postMessage(texts.filter((text) => pattern.test(text)));
`;

/** The former search: whatever clients ask for, one thread at a time is busy with it. */
let former: Promise<unknown> = Promise.resolve();

/**
 * Searches `texts` for a regular expression, anywhere in them. It does so in a thread of its own, since all control
 * endpoints share this one; words are looked for here.
 */
export async function searchPattern(source: string, texts: Iterable<string>): Promise<PatternSearch> {
  const fault = syntaxFault(source);
  if (fault !== undefined) return { wrong: fault };
  const different = [...new Set(texts)];
  if (isWord(source)) return { found: new Set(different.filter((text) => text.includes(source))) };
  const search = former.then(() => searchInThread(source, different));
  former = search.catch(() => {
    // Whoever asked for it is told.
  });
  return search;
}

function syntaxFault(source: string): string | undefined {
  try {
    // Read, and not run.
    return void RegExp(source);
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** It means itself. */
function isWord(source: string): boolean {
  return !/[\\^$.*+?()[\]{}|]/.test(source);
}

async function searchInThread(source: string, texts: readonly string[]): Promise<PatternSearch> {
  const thread = new Worker(program, { eval: true, workerData: { source, texts }, execArgv: [] });
  const over = new AbortController();
  thread.once('online', () => {
    const timer = setTimeout(() => over.abort(), searchLimitMs);
    thread.once('exit', () => clearTimeout(timer));
  });
  try {
    const [found] = await once(thread, 'message', { signal: over.signal });
    // Typed as any; it is what the program above sends.
    return { found: new Set<string>(found) };
  } catch (error) {
    if (!over.signal.aborted) throw error;
    return { wrong: `the search took longer than ${searchLimitMs} ms` };
  } finally {
    await thread.terminate();
  }
}
