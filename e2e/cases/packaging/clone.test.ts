import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { ctrlC, typeInto } from '../../testbed/docs/typing.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { runOrFail } from '../../testbed/process.ts';
import { root } from '../../testbed/published.ts';

let leaks: LeakCheck;
let clone: string;
/** The PATH of a user who has nothing of the workspace. */
const path = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

beforeAll(async () => {
  leaks = openLeakCheck();
  clone = join(await mkdtemp(join(tmpdir(), 'clone-')), 'clone');
  await runOrFail('git', ['clone', '--quiet', root, clone]);
  const config = join(clone, 'conf', 'config.yaml');
  let text = await readFile(config, 'utf8');
  for (const port of ['9080', '9090', '9091', '9100', '9180']) {
    text = text.replace(new RegExp(String.raw`\b${port}\b`), String(await freePort()));
  }
  await writeFile(config, text);
});

afterAll(async () => {
  await rm(join(clone, '..'), { recursive: true });
  expect(await leaks.leftovers()).toEqual([]);
});

/** `npm start`, up to Ctrl-C. */
async function startAsIn(page: string): Promise<string> {
  let seen = '';
  await runHandedOver(import.meta.filename, page, async (next) => {
    const typed = [{ at: 'Ctrl-C stops the gateway.', keys: ctrlC }];
    const result = await typeInto(next(), typed, { cwd: clone, env: { PATH: path }, limitMs: 280_000 });
    expect(result.status, result.seen).toBe(0);
    seen = result.seen;
  });
  return seen;
}

test('brings what is missing, serves, and ends with Ctrl-C', async () => {
  const first = await startAsIn('README.md');
  const again = await startAsIn('docs/getting-started.md');

  for (const missing of ['Installing dependencies: done in', 'Building: done in']) {
    expect(first).toContain(missing);
    expect(again).not.toContain(missing);
  }
  expect(again).toMatch(/is serving, ready after/);
});
