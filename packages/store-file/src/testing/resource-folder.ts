import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResourceFormat } from '@apisix-ts/config';

/** A folder with an apisix.yaml or apisix.json. */
export interface ResourceFolder {
  readonly folder: string;
  /** Of the file. */
  readonly path: string;
  /** Replaces the text of the file in place. */
  readonly write: (text: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** @param text of the file; there is none without. */
export async function makeResourceFolder(format: ResourceFormat, text?: string): Promise<ResourceFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'store-file-'));
  const path = join(folder, `apisix.${format}`);
  const write = (content: string): Promise<void> => writeFile(path, content);
  if (text !== undefined) await write(text);
  return { folder, path, write, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A whole apisix.yaml with routes that have these ids and descriptions. */
export function routesYaml(routes: Readonly<Record<string, string>>): string {
  const items = Object.entries(routes).map(([id, desc]) => `  - id: ${id}\n    desc: ${desc}\n`);
  return `routes:${items.length === 0 ? ' []' : ''}\n${items.join('')}#END\n`;
}
