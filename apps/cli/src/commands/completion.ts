import type { Command } from '../command.ts';
import { bashCompletion } from '../completion/bash.ts';
import { completedCommands } from '../completion/completed.ts';
import type { CompletedCommand } from '../completion/completed.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { didYouMean } from '../did-you-mean.ts';

const shells: ReadonlyMap<string, (commands: readonly CompletedCommand[]) => string> = new Map([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
]);

/** @param all every command, this one too. */
export function createCompletion(all: () => readonly Command[]): Command {
  const names = [...shells.keys()];
  return {
    name: 'completion',
    summary: 'print what makes a shell complete this command: bash, zsh or fish',
    options: [],
    words: 'SHELL',
    wordCount: [1, 1],
    choices: names,
    async run({ stdout, stderr }, { words: [name = ''] }) {
      const write = shells.get(name);
      if (write === undefined) {
        stderr.write(`expected ${names.join(', ')}, found ${name}${didYouMean(name, names)}\n`);
        return 2;
      }
      stdout.write(write(completedCommands(all())));
      return 0;
    },
  };
}
