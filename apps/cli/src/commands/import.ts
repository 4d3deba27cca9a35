import type { Command } from '../command.ts';

export const importCommand: Command = {
  name: 'import',
  summary: 'take over the resources of FILE, which is as apisix.yaml; - is standard input',
  options: ['config', 'dry-run', 'prune', 'json'],
  words: 'FILE',
  wordCount: [1, 1],
  async run(context, options) {
    const { runImport } = await import('../transfer/run-import.ts');
    await runImport(context, options, options.dryRun);
    return 0;
  },
};
