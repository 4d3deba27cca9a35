import type { CompletedCommand, CompletedOption, Values } from './completed.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const actions = commands.map(
    ({ name, about }) => `complete -c apisix -n '__apisix_action_is ""' -a ${name} -d ${quote(about)}`,
  );
  const details = commands.flatMap(({ name, options, words }) => {
    const head = `complete -c apisix -n '__apisix_action_is ${name}'`;
    return [
      ...options.map((option) => `${head} ${optionSpec(option)}`),
      ...(words === undefined ? [] : [`${head} ${valueSpec(words)}`]),
    ];
  });
  return `# Completion of the apisix command for fish: apisix completion fish > ~/.config/fish/completions/apisix.fish
${actionFunction}complete -c apisix -f
complete -c apisix -n '__apisix_action_is ""' -l home -s p -x -a '(__fish_complete_directories)'
complete -c apisix -n '__apisix_action_is ""' -l help -s h
complete -c apisix -n '__apisix_action_is ""' -l version -s v
${[...actions, ...details].join('\n')}
`;
}

/** Fish has one of its own, which takes the folder after `--home` for the action. */
const actionFunction = `function __apisix_action_is
    set -l words (commandline -opc)[2..]
    while set -q words[1]
        switch $words[1]
            case --home -p
                set -e words[1]
            case '-*'
            case '*'
                break
        end
        set -e words[1]
    end
    test "$words[1]" = "$argv[1]"
end
`;

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
