import { join } from 'node:path';
import { openNpmRegistry } from './npm-registry.ts';
import type { NpmRegistry } from './npm-registry.ts';
import { runOrFail } from './process.ts';

/** The folder of the clone. */
export const root: string = join(import.meta.dirname, '..', '..');

const tools = join(root, 'node_modules', '.bin');

/** All public packages, published to a registry of our own the way a release does it. */
export async function publishAll(): Promise<NpmRegistry> {
  const registry = await openNpmRegistry();
  try {
    // Nothing may be published anywhere else, whatever this user has set.
    const env = { ...registry.env, npm_config_registry: registry.url, PATH: pathWithTools() };
    await runOrFail('changeset', ['publish', '--no-git-tag'], { cwd: root, env, limitMs: 240_000 });
    return registry;
  } catch (error) {
    await registry.close();
    throw error;
  }
}

/** Runs npm with the Node of the clone, as a user of that registry. @returns what it wrote to stdout. */
export function npm(registry: NpmRegistry, cwd: string, ...args: readonly string[]): Promise<string> {
  const env = { ...registry.env, PATH: pathWithTools() };
  return runOrFail('npm', args, { cwd, env, limitMs: 240_000 });
}

/** The pinned programs come first. */
export function pathWithTools(): string {
  return `${tools}:${process.env['PATH'] ?? ''}`;
}
