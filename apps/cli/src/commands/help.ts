import type { Command } from '../command.ts';
import { didYouMean } from '../did-you-mean.ts';
import { overview, usage } from '../usage.ts';

/** @param others every command but this one. */
export function createHelp(others: readonly Command[]): Command {
  const names = ['help', ...others.map(({ name }) => name)];
  const help: Command = {
    name: 'help',
    summary: 'print this list, or how one action is called',
    options: [],
    words: '[action]',
    choices: names,
    async run({ stdout, stderr }, { words: [name] }) {
      const known = [help, ...others];
      if (name === undefined) {
        stdout.write(overview(known));
        return 0;
      }
      const command = known.find((candidate) => candidate.name === name);
      if (command !== undefined) {
        stdout.write(usage(command));
        return 0;
      }
      stderr.write(`invalid argument: ${name}${didYouMean(name, names)}\n`);
      stdout.write(overview(known));
      return 2;
    },
  };
  return help;
}
