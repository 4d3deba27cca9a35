import type { CompletedCommand, CompletedOption, Values } from './completed.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const actions = commands.map(
    ({ name, about }) => `complete -c apisix -n __fish_use_subcommand -a ${name} -d ${quote(about)}`,
  );
  const details = commands.flatMap(({ name, options, words }) => {
    const head = `complete -c apisix -n '__fish_seen_subcommand_from ${name}'`;
    return [
      ...options.map((option) => `${head} ${optionSpec(option)}`),
      ...(words === undefined ? [] : [`${head} ${valueSpec(words)}`]),
    ];
  });
  return `# Completion of the apisix command for fish: apisix completion fish > ~/.config/fish/completions/apisix.fish
complete -c apisix -f
complete -c apisix -n __fish_use_subcommand -l home -s p -x -a '(__fish_complete_directories)'
complete -c apisix -n __fish_use_subcommand -l help -s h
complete -c apisix -n __fish_use_subcommand -l version -s v
${[...actions, ...details].join('\n')}
`;
}

function optionSpec({ flags, about, values }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = values === undefined ? [] : [values.kind === 'files' ? '-r -F' : `-x ${valueSpec(values)}`];
  return [...names, ...value, '-d', quote(about)].join(' ').replaceAll('  ', ' ');
}

function valueSpec(values: Values): string {
  if (values.kind === 'choices') return `-a ${quote(values.choices.join(' '))}`;
  if (values.kind === 'files') return '-F';
  return values.kind === 'folders' ? "-a '(__fish_complete_directories)'" : '';
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
