import type { Command } from '../command.ts';
import { findHome } from '../home.ts';
import { readStatus } from '../status/read-status.ts';
import { showStatus } from '../status/show-status.ts';
import type { GatewayState } from '../status/status-report.ts';

/** As service managers know them (Linux Standard Base, "Init Script Actions"): 3 is stopped, 1 what should not be. */
const statuses: Readonly<Record<GatewayState, number>> = { serving: 0, unclear: 1, dead: 1, stopped: 3 };

export const status: Command = {
  name: 'status',
  summary:
    'tell whether the gateway serves, and what it has; status 0 if so, 3 if none runs, 1 for anything else',
  options: ['json'],
  async run(context, options) {
    const report = await readStatus(context, findHome(options.home, context.env, context.cwd));
    if (options.json) context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else showStatus(context, report);
    return statuses[report.state];
  },
};
