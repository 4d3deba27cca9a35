import type { Command } from '../command.ts';

export const diff: Command = {
  name: 'diff',
  summary: 'show what an import of FILE would change; status 1 if anything',
  options: ['config', 'prune', 'json'],
  words: 'FILE',
  wordCount: [1, 1],
  // As diff(1) has it: 1 is a difference.
  failureStatus: 2,
  async run(context, options) {
    const { runImport } = await import('../transfer/run-import.ts');
    const { created, updated, deleted } = (await runImport(context, options, true)).report;
    return created.length + updated.length + deleted.length === 0 ? 0 : 1;
  },
};
