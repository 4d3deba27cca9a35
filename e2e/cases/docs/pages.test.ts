import { globSync } from 'node:fs';
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

    expect([...new Set(run)].filter((page) => !followed.has(page))).toEqual([]);
  });

  test('are left out for a few reasons only', () => {
    const reasons = steps.flatMap((step) =>
      step.does === 'leave out' ? [`${step.page}: ${step.reason}`] : [],
    );

    expect(reasons.toSorted()).toMatchInlineSnapshot(`
      [
        "README.md: it installs packages and stays in the foreground",
        "README.md: it is what runs this",
        "docs/benchmarks.md: it takes ten minutes",
        "docs/cli.md: completion.test.ts asks the shells",
        "docs/cli.md: docs/guides/moving.md has it",
        "docs/cli.md: docs/guides/moving.md has it",
        "docs/cli.md: docs/operations/draining.md has it",
        "docs/cli.md: docs/operations/draining.md has it",
        "docs/cli.md: docs/operations/seeing.md has it",
        "docs/cli.md: the first one holds the ports",
        "docs/config/admin-api.md: it needs three certificates; the tests of admin-tls.ts have them",
        "docs/config/admin-api.md: the configuration of a clone asks for no key",
        "docs/getting-started.md: it installs packages and stays in the foreground; here its gateway runs already",
        "docs/guides/mysql.md: it asks for a password; mysql.test.ts logs in",
        "docs/guides/mysql.md: it needs a container engine; container.test.ts has one",
        "docs/guides/mysql.md: it needs a container engine; container.test.ts has one",
        "docs/guides/mysql.md: it needs a container engine; container.test.ts has one",
        "docs/guides/mysql.md: it needs a container engine; container.test.ts has one",
        "docs/guides/mysql.md: it needs a container engine; container.test.ts has one",
        "docs/guides/mysql.md: it needs a container engine; container.test.ts has one",
        "docs/install.md: it needs a container engine; container.test.ts has one",
        "docs/install.md: it needs a container engine; container.test.ts has one",
        "docs/install.md: it needs a registry; npm.test.ts runs it against one of its own",
        "docs/install.md: it needs systemd; service.test.ts runs what the unit says",
        "docs/install.md: it takes long; binary.test.ts runs it",
        "docs/install.md: it writes to /usr/local; binary.test.ts does the same elsewhere",
        "docs/operations/upgrading.md: it needs a registry",
        "docs/operations/upgrading.md: nothing is installed in /usr/local/apisix; service.test.ts runs what the unit says",
        "docs/releasing.md: it makes a release",
        "docs/releasing.md: it makes a release",
        "docs/releasing.md: it makes a release",
        "docs/releasing.md: it makes a release",
        "docs/stores/embedded.md: nothing is damaged; damage.test.ts does it",
      ]
    `);
  });
});
