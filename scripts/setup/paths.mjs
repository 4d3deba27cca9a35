import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone, whatever the current folder is. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where the scripts note what was installed and built; goes away with node_modules. */
export const notesDir = join(root, 'node_modules', '.setup');

/** A program of the workspace, such as the pinned Node: `bin('node')`. */
export const bin = (name) => join(root, 'node_modules', '.bin', name);

/** The environment in which the workspace's programs are found first. */
export function workspaceEnv() {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH, '/usr/sbin', '/sbin'];
  return { ...process.env, PATH: path.filter(Boolean).join(':') };
}
