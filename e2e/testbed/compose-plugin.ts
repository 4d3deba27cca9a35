import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What `docker` asks of a plugin, and the rest for the command that Debian 12 has. */
const plugin = `#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{"SchemaVersion": "0.1.0", "Vendor": "the tests", "Version": "1"}'
else
  shift
  exec docker-compose "$@"
fi
`;

export interface ComposePlugin {
  /** With this environment there is a `docker compose`. */
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Makes `docker compose`, which the guides say, of `docker-compose`, which is what Debian 12 has. */
export async function makeComposePlugin(): Promise<ComposePlugin> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
  await mkdir(join(folder, 'cli-plugins'));
  await writeFile(join(folder, 'cli-plugins', 'docker-compose'), plugin, { mode: 0o755 });
  return {
    env: { DOCKER_CONFIG: folder },
    remove: () => rm(folder, { recursive: true }),
  };
}
