import { basename } from 'node:path';
import { readPageFile } from './page.ts';
import type { HandedOverStep } from './page.ts';

/**
 * Lets a test run the blocks of a page that are marked `run by` it. `work` gets them one by one, in the order of the page,
 * and has to take all of them. A test that has such a page calls this by name: `pages.test.ts` looks for it.
 * @param testFile `import.meta.filename`.
 * @param page below the root of the repository, as `docs/install.md`.
 */
export async function runHandedOver(
  testFile: string,
  page: string,
  work: (next: () => string) => Promise<void>,
): Promise<void> {
  const isOurs = (step: { readonly does: string }): step is HandedOverStep =>
    step.does === 'hand over' && 'to' in step && step.to === basename(testFile);
  const left = readPageFile(page).filter(isOurs);
  await work(() => {
    const block = left.shift();
    if (block === undefined) throw new Error(`${page} has no further block for ${basename(testFile)}`);
    return block.text;
  });
  if (left[0] === undefined) return;
  throw new Error(`${page}:${left[0].line} says that ${basename(testFile)} runs it, which has not`);
}
