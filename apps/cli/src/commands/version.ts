import { version as ownVersion } from '@apisix-ts/gateway';
import type { Command } from '../command.ts';

export const version: Command = {
  name: 'version',
  summary: 'print the version',
  options: ['json'],
  async run({ stdout }, { json }) {
    // All packages share one.
    const text = json ? JSON.stringify({ version: ownVersion, node: process.versions.node }) : ownVersion;
    stdout.write(`${text}
`);
    return 0;
  },
};
