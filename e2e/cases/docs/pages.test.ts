import { globSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followPage } from '../../testbed/docs/follow-page.ts';
import { readPageFile, root } from '../../testbed/docs/page.ts';
import { canOpenTerminals } from '../../testbed/docs/terminal.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { pages } from '../../testbed/docs/pages.ts';

let leaks: LeakCheck;

beforeAll(() => {
  leaks = openLeakCheck();
});

afterAll(async () => {
  expect(await leaks.leftovers()).toEqual([]);
});

describe.skipIf(!canOpenTerminals())('what a page says is to be seen:', () => {
  test.for(Object.entries(pages))('%s', { timeout: 120_000 }, async ([page, given]) => {
    await followPage(page, readPageFile(page), given);
  });
});
