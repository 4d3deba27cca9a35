import { bin } from '../setup/paths.mjs';
import { seconds } from '../setup/progress.mjs';
import { run } from '../setup/run.mjs';

/** The scripts of package.json that check without running the product, fastest to fail first. */
const names = ['format:check', 'lint', 'boundaries', 'types', 'knip', 'docs:check', 'publish:check'];

/** Runs every check, also after one failed, and shows what the failed ones said. @returns the number that failed. */
export async function runChecks() {
  let failed = 0;
  for (const name of names) {
    const startedAt = Date.now();
    const { status, output } = await run(bin('pnpm'), ['run', name]);
    const verdict = status === 0 ? 'ok' : 'FAILED';
    console.log(`${verdict.padEnd(7)}${name.padEnd(14)} ${seconds(Date.now() - startedAt)}`);
    if (status === 0) continue;
    failed += 1;
    console.log(`${output.trimEnd()}\n`);
  }
  return failed;
}
