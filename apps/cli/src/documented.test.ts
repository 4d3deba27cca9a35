import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from './commands/index.ts';
import { commonOptions, optionFacts, optionTable } from './options.ts';

const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
const sections = page.split(/^## /m).map((text) => {
  const [heading = ''] = text.split('\n', 1);
  return { names: heading.split(/\W+/), text };
});
/** The sections of a command; the beginning of the page, for one that has none. */
const textAbout = (name: string): string => {
  const own = sections.filter(({ names }) => names.includes(name));
  return (own.length > 0 ? own : sections.slice(0, 1)).map(({ text }) => text).join('');
};

test.for(commands)('docs/cli.md tells of $name and each of its options', ({ name, options }) => {
  const about = textAbout(name);

  expect(page).toMatch(new RegExp(`^\\| .*\`${name}\\b.* \\| .* \\| .* \\|$`, 'm'));
  for (const option of options) {
    const { short } = optionFacts(option);
    expect(about).toMatch(new RegExp(`[\\s\`]--${option}\\b`));
    if (short !== undefined) expect(about).toMatch(new RegExp(`[\\s\`]-${short}\\b`));
  }
});

test.for(sections)(
  '$names.0: docs/cli.md tells of no option that the command does not take',
  ({ names, text }) => {
    const here = commands.filter(({ name }) => names.includes(name));
    const taken = here.flatMap(({ options }) => options);
    const known: readonly string[] =
      here.length === 0 ? Object.keys(optionTable) : [...taken, ...commonOptions];

    const told = [...text.matchAll(/(?<=[\s`])--([a-z][a-z-]*)/g)].map(([, option = '']) => option);

    expect(told.filter((option) => !known.includes(option))).toEqual([]);
  },
);
