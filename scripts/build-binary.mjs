// `npm run build:binary`: brings what the build needs, then makes dist/apisix-gateway. Plain JavaScript without
// dependencies, like start.mjs.
import { join } from 'node:path';
import { bin, root } from './setup/paths.mjs';
import { prepare } from './setup/prepare.mjs';
import { Problem, runMain } from './setup/problem.mjs';
import { withProgress } from './setup/progress.mjs';
import { endGroupsOnSignals, run } from './setup/run.mjs';

await runMain(async () => {
  endGroupsOnSignals();
  await prepare({ withBuild: false });
  const { status, output } = await withProgress('Building the binary', () =>
    run(bin('node'), [join(root, 'apps', 'binary', 'build.ts')]),
  );
  if (status !== 0) throw new Problem(`${output}The binary could not be built.`);
  process.stdout.write(output);
});
