import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from './worker-link.ts';

/**
 * What a worker thread runs: a module, or the text of a CommonJS script, which a program in one file carries along
 * because there is no module beside it.
 */
export type WorkerProgram = URL | { readonly script: string };

/** `worker-thread.ts` in the sources, `worker-thread.js` in what is published: it stands beside this file. */
const ownProgram = new URL(
  import.meta.url.endsWith('.ts') ? './worker-thread.ts' : './worker-thread.js',
  import.meta.url,
);

/** @param program default: the one that comes with this package. */
export function startThread(options: WorkerOptions, program: WorkerProgram = ownProgram): Worker {
  const common = { workerData: options, name: `worker-${options.index}` };
  return program instanceof URL
    ? new Worker(program, common)
    : new Worker(program.script, { ...common, eval: true });
}
