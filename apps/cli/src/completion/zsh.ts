import type { CompletedCommand, CompletedOption, Values } from './completed.ts';

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const actions = commands.map(({ name, about }) => `    ${quote(`${name}:${about}`)}`);
  const cases = commands.map(({ name, options, words }) => {
    const specs = [
      ...options.map(optionSpec),
      ...(words === undefined ? [] : [`'*:${action('word', words)}'`]),
    ];
    return `        ${name})\n          _arguments -s \\\n${specs.map((spec) => `            ${spec}`).join(' \\\n')}\n          ;;`;
  });
  return `#compdef apisix
# Completion of the apisix command for zsh. In ~/.zshrc, after compinit: source <(apisix completion zsh)
_apisix() {
  local context state line
  local -a actions
  actions=(
${actions.join('\n')}
  )
  _arguments -C \\
    '(-p --home)'{-p,--home}'[the installation]:folder:_files -/' \\
    '(-h --help)'{-h,--help}'[print the actions]' \\
    '(-v --version)'{-v,--version}'[print the version]' \\
    '1:action:->action' \\
    '*::argument:->argument'
  case $state in
    action) _describe -t actions action actions ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}

compdef _apisix apisix
`;
}

function optionSpec({ flags, about, values }: CompletedOption): string {
  const value = values === undefined ? '' : `:${action('value', values)}`;
  const text = quote(`[${about.replace(/[[\]:]/g, '\\$&')}]${value}`);
  return flags.length === 1 ? `${flags[0]}${text}` : `'(${flags.join(' ')})'{${flags.join(',')}}${text}`;
}

function action(message: string, values: Values): string {
  if (values.kind === 'choices') return `${message}:(${values.choices.join(' ')})`;
  if (values.kind === 'files') return `${message}:_files`;
  return `${message}:${values.kind === 'folders' ? '_files -/' : ' '}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
