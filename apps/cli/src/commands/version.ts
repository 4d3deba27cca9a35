import { version as ownVersion } from '@apisix-ts/gateway';
import type { Command } from '../command.ts';

export const version: Command = {
  name: 'version',
  summary: 'print the version',
  options: [],
  async run({ stdout }) {
    // All packages share one.
    stdout.write(`${ownVersion}\n`);
    return 0;
  },
};
