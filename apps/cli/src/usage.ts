import type { Command } from './command.ts';
import { commonOptions, optionFacts } from './options.ts';
import type { OptionName } from './options.ts';

/** Every command, a line each. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const lines = commands.map(({ name, summary }) => `${`${name}:`.padEnd(width)}${summary}\n`);
  return `Usage: apisix [action] <argument>

${lines.join('')}
${describeOptions(['home'])}
What an action takes: apisix help <action>
`;
}

/** How one command is called. */
export function usage({ name, summary, options, words }: Command): string {
  return `Usage: apisix ${name} [options]${words === undefined ? '' : ` ${words}`}

${name}: ${summary}

${describeOptions([...options, ...commonOptions])}`;
}

function describeOptions(names: readonly OptionName[]): string {
  const rows = names.map((name) => {
    const { short, value, about } = optionFacts(name);
    const letter = short === undefined ? '    ' : `-${short}, `;
    return { left: `${letter}--${name}${value === undefined ? '' : ` ${value}`}`, about };
  });
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  return rows.map(({ left, about }) => `  ${left.padEnd(width)}${about}\n`).join('');
}
