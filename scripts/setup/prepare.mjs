import { build, isBuilt } from './build.mjs';
import { checkMachine, install, isInstalled } from './install.mjs';
import { withLock } from './lock.mjs';

/**
 * Brings the dependencies and the pinned tools, and the build unless told otherwise. Costs some milliseconds when all
 * is there; several at once wait for each other.
 */
export async function prepare({ withBuild }) {
  checkMachine();
  if (isInstalled() && (!withBuild || isBuilt())) return;
  await withLock(async () => {
    await install();
    if (withBuild) await build();
  });
}
