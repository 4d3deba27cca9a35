// `npm test`: everything a change has to pass. Plain JavaScript without dependencies, like start.mjs.
//   npm test                        checks, unit, contract and e2e tests
//   npm test -- --only unit         one part: checks, unit (with the contract suites) or e2e
//   npm test -- matcher             only the test files whose path contains this; no checks
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './setup/prepare.mjs';
import { Problem, runMain } from './setup/problem.mjs';
import { endGroupsOnSignals } from './setup/run.mjs';
import { runChecks } from './testing/checks.mjs';
import { installDebianPackages } from './testing/debian-packages.mjs';
import { runVitest } from './testing/vitest.mjs';

const parts = ['checks', 'unit', 'e2e'];

await runMain(async () => {
  const { wanted, filters } = readArguments();
  endGroupsOnSignals();
  const tempDir = mkdtempSync(join(tmpdir(), 'apisix-ts-test-'));
  process.on('exit', () => rmSync(tempDir, { recursive: true, force: true }));

  await prepare({ withBuild: false });
  await installDebianPackages();
  const failedChecks = wanted.includes('checks') ? await runChecks() : 0;
  const hasBuild = await buildForTests();
  const projects = wanted.filter((part) => part !== 'checks');
  const none = { passed: 0, failed: 0, skipped: 0 };
  const counts = projects.length > 0 ? await runVitest(projects, filters, tempDir) : none;

  const failed = counts.failed + failedChecks + (hasBuild ? 0 : 1);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  console.log(`${counts.passed} passed, ${failed} failed${skipped}`);
  process.exitCode = failed === 0 ? 0 : 1;
});

/** A build that fails is one failure; the unit tests, which run from source, still run and say more. */
async function buildForTests() {
  try {
    await prepare({ withBuild: true });
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.log(error.message);
    return false;
  }
}

function readArguments() {
  const args = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { only: { type: 'string' } },
      allowPositionals: true,
    });
    if (values.only !== undefined && !parts.includes(values.only))
      throw new TypeError(`no part is called ${values.only}`);
    const all = positionals.length > 0 ? parts.filter((part) => part !== 'checks') : parts;
    return { wanted: values.only === undefined ? all : [values.only], filters: positionals };
  } catch (error) {
    throw new Problem(
      `${error.message}\nUsage: npm test -- [--only ${parts.join('|')}] [part of a file name …]`,
    );
  }
}
