import { join } from 'node:path';
import { runOrFail } from './process.ts';
import { pathWithTools, root } from './published.ts';

/** Builds the gateway as one file, as a release does. @returns its path. */
export async function buildBinary(): Promise<string> {
  await runOrFail('pnpm', ['run', 'build:binary'], {
    cwd: root,
    env: { PATH: pathWithTools() },
    limitMs: 240_000,
  });
  return join(root, 'dist', 'apisix-gateway');
}
