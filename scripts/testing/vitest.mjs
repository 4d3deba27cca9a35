import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, workspaceEnv } from '../setup/paths.mjs';
import { run } from '../setup/run.mjs';

/**
 * Runs the tests and counts them from vitest's own JSON report.
 * @param projects the vitest projects to run; `filters`: parts of the file names to run, all when empty.
 * @param tempDir where everything temporary of this run goes; the caller removes it.
 * @returns tests passed, failed and skipped. A file that did not load, a run that ended badly without a failed test,
 * and processes that outlived the run each count as one failed.
 */
export async function runVitest(projects, filters, tempDir) {
  const report = join(tempDir, 'report.json');
  const args = [
    'run',
    ...projects.map((name) => `--project=${name}`),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ];
  const { status, leftBehind } = await run(bin('vitest'), args, {
    env: { ...workspaceEnv(), TMPDIR: tempDir },
    show: true,
  });
  const counts = readCounts(report);
  if (leftBehind.length > 0) {
    counts.failed += 1;
    console.log(`Processes outlived the tests and were killed:\n  ${leftBehind.join('\n  ')}`);
  }
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    const unloaded = testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    return {
      passed: numPassedTests,
      failed: numFailedTests + unloaded.length,
      skipped: numPendingTests + numTodoTests,
    };
  } catch {
    console.log('vitest ended without a report.');
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
