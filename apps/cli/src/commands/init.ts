import type { Command } from '../command.ts';
import { findHome, makeFolders } from '../home.ts';
import { readResources } from '../resource-check.ts';
import { checkSettings, printWarnings, warnAboutMachine } from '../settings-check.ts';

export const init: Command = {
  name: 'init',
  summary: 'check config.yaml and make the folders for data and logs',
  options: [],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    warnAboutMachine(context, home);
    const loaded = checkSettings(context, home);
    readResources(context, home, loaded.settings);
    printWarnings(context, loaded);
    makeFolders(home);
    return 0;
  },
};
