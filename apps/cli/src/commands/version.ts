import type { Command } from '../command.ts';
import { manifestText } from '../manifest.ts';

export const version: Command = {
  name: 'version',
  summary: 'print the version',
  options: [],
  async run({ stdout }) {
    // One folder up from `src` and from `dist`.
    stdout.write(`${manifestText(new URL('../../package.json', import.meta.url), 'version')}\n`);
    return 0;
  },
};
