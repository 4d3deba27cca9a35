import type { Command } from '../command.ts';
import { prepareEtcd } from '../etcd-layout.ts';
import { findHome } from '../home.ts';
import { checkSettings } from '../settings-check.ts';

export const initEtcd: Command = {
  name: 'init_etcd',
  summary: 'prepare etcd for the configuration; does nothing when it is kept elsewhere',
  options: [],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    const { settings } = checkSettings(context, home);
    return (await prepareEtcd(context, settings)) ? 0 : 1;
  },
};
