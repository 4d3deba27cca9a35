import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followPages } from '../../testbed/docs/follow-page.ts';
import type { Walk } from '../../testbed/docs/follow-page.ts';
import { readPageFile, root } from '../../testbed/docs/page.ts';
import { canOpenTerminals } from '../../testbed/docs/terminal.ts';
import { walks } from '../../testbed/docs/walks.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';

let leaks: LeakCheck;

beforeAll(() => {
  leaks = openLeakCheck();
});

afterAll(async () => {
  expect(await leaks.leftovers()).toEqual([]);
});

// Each walk has a machine of its own.
describe.skipIf(!canOpenTerminals()).concurrent('what a page says is to be seen:', () => {
  test.for(walks.map((walk) => ({ walk, name: nameOf(walk) })))('$name', async ({ walk }) => {
    await followPages(walk);
  });
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

    expect([...new Set(run)].filter((page) => !followed.has(page))).toEqual([]);
  });

  const tests = globSync('e2e/cases/**/*.test.ts', { cwd: root });
  const handedOver = steps.filter((step) => step.does === 'hand over');

  // That a test runs every block of a page, `runHandedOver` sees to when it runs.
  test.for(handedOver.map(({ page, line, to }) => ({ page, line, to })))(
    'are asked for by the test that they are left to: $page:$line, $to',
    ({ page, to }) => {
      const files = tests.filter((file) => basename(file) === to);
      const sources = files.map((file) => readFileSync(join(root, file), 'utf8'));

      expect(files).toHaveLength(1);
      expect(sources.join('')).toContain('runHandedOver(import.meta.filename, ');
      expect(sources.join('')).toContain(`'${page}'`);
    },
  );

  test('are left out for a few reasons only', () => {
    const reasons = steps.flatMap((step) =>
      step.does === 'leave out' ? [`${step.page}: ${step.reason}`] : [],
    );

    expect(reasons.toSorted()).toMatchInlineSnapshot(`
      [
        "README.md: it is what runs this",
        "docs/install.md: its base images cannot be pulled everywhere; container.test.ts builds the other target",
        "docs/releasing.md: it makes a release",
      ]
    `);
  });
});
