import { globSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followPages } from '../../testbed/docs/follow-page.ts';
import type { Walk } from '../../testbed/docs/follow-page.ts';
import { readPageFile, root } from '../../testbed/docs/page.ts';
import { canOpenTerminals } from '../../testbed/docs/terminal.ts';
import { notYet, walks } from '../../testbed/docs/walks.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';

let leaks: LeakCheck;

beforeAll(() => {
  leaks = openLeakCheck();
});

afterAll(async () => {
  expect(await leaks.leftovers()).toEqual([]);
});

describe.skipIf(!canOpenTerminals())('what a page says is to be seen:', () => {
  test.for(walks.map((walk) => ({ walk, name: nameOf(walk) })))(
    '$name',
    { timeout: 180_000 },
    async ({ walk }) => {
      await followPages(walk);
    },
  );
});

function nameOf({ pages }: Walk): string {
  const others = pages.length - 1;
  return others === 0 ? `${pages.at(-1)}` : `${pages.at(-1)}, after ${others} others`;
}

describe('the commands of a page', () => {
  const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root, exclude: ['docs/templates/**'] })];
  const steps = pages.flatMap((page) => readPageFile(page).map((step) => ({ page, ...step })));

  test('are run, or say why not', () => {
    const followed = new Set(walks.flatMap((walk) => walk.pages));
    const run = steps.filter((step) => step.does === 'run').map((step) => step.page);

    expect([...new Set(run)].filter((page) => !followed.has(page)).toSorted()).toEqual(notYet);
  });

  test('are left out for a few reasons only', () => {
    const reasons = steps.flatMap((step) =>
      step.does === 'leave out' ? [`${step.page}: ${step.reason}`] : [],
    );

    expect(reasons.toSorted()).toMatchInlineSnapshot(`
      [
        "docs/getting-started.md: it installs packages and stays in the foreground; here its gateway runs already",
      ]
    `);
  });
});
