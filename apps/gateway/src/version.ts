import { readFileSync } from 'node:fs';

/** The version of this gateway, from its package. */
export const version: string = readVersion();

function readVersion(): string {
  // Our own manifest, one folder up from the sources and from what is built.
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
