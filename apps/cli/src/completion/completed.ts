import type { Command } from '../command.ts';
import { commonOptions, optionFacts } from '../options.ts';
import type { OptionName } from '../options.ts';

/** What can be typed after the command's name, for those who write completions for a shell. */
export interface CompletedCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly CompletedOption[];
  /** What its words are; undefined: it takes none, or nothing that can be known. */
  readonly words: Values | undefined;
}

export interface CompletedOption {
  /** `--config`, `-c` */
  readonly flags: readonly string[];
  readonly about: string;
  /** What comes after it; undefined: nothing. */
  readonly values: Values | undefined;
}

export type Values =
  | { readonly kind: 'files' | 'folders' | 'text' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] };

export function completedCommands(commands: readonly Command[]): readonly CompletedCommand[] {
  return commands.map(({ name, summary, options, words, choices }) => ({
    name,
    about: summary,
    options: [...options, ...commonOptions].map(completedOption),
    words: words === undefined ? undefined : valuesOf(words, choices),
  }));
}

function completedOption(name: OptionName): CompletedOption {
  const { type, short, value = '', about, choices } = optionFacts(name);
  return {
    flags: [`--${name}`, ...(short === undefined ? [] : [`-${short}`])],
    about,
    values: type === 'boolean' ? undefined : valuesOf(value, choices),
  };
}

/** @param placeholder as the usage has it: `[FILE]`, `DIR`, `[list|close]`. */
function valuesOf(placeholder: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return { kind: 'choices', choices };
  const [alternatives] = /[a-z]+(?:\|[a-z]+)+/.exec(placeholder) ?? [];
  if (alternatives !== undefined) return { kind: 'choices', choices: alternatives.split('|') };
  if (placeholder.includes('FILE')) return { kind: 'files' };
  return { kind: placeholder.includes('DIR') ? 'folders' : 'text' };
}
