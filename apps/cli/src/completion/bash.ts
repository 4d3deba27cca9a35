import type { CompletedCommand, Values } from './completed.ts';

/** A script for bash, also the old one of macOS. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const afterOptions = commands.flatMap(({ name, options }) =>
    options.flatMap(({ flags, values }) =>
      values === undefined
        ? []
        : [`    ${flags.map((flag) => `'${name} ${flag}'`).join(' | ')}) ${complete(values)} ;;`],
    ),
  );
  const options = commands.map(
    ({ name, options: own }) =>
      `      ${name}) _apisix_words '${own.flatMap(({ flags }) => flags).join(' ')}' ;;`,
  );
  const words = commands.flatMap(({ name, words: own }) =>
    own === undefined ? [] : [`    ${name}) ${complete(own)} ;;`],
  );
  return `# Completion of the apisix command for bash. In ~/.bashrc: source <(apisix completion bash)
_apisix_words() {
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}

_apisix_paths() {
  local IFS=$'\\n'
  type compopt >/dev/null 2>&1 && compopt -o filenames
  COMPREPLY=($(compgen "$1" -- "$current"))
}

_apisix() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} action= at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in
      -p | --home) at=$((at + 1)) ;;
      -*) ;;
      *) action=\${COMP_WORDS[at]} && break ;;
    esac
  done
  case "$action $previous" in
    ' --home' | ' -p') _apisix_paths -d; return ;;
${afterOptions.map((line) => line.replace(/ ;;$/, '; return ;;')).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case $action in
      '') _apisix_words '--home -p --help -h --version -v' ;;
${options.join('\n')}
    esac
    return
  fi
  case $action in
    '') _apisix_words '${commands.map(({ name }) => name).join(' ')}' ;;
${words.join('\n')}
  esac
}

complete -F _apisix apisix
`;
}

function complete(values: Values): string {
  if (values.kind === 'choices') return `_apisix_words '${values.choices.join(' ')}'`;
  if (values.kind === 'files') return '_apisix_paths -f';
  return values.kind === 'folders' ? '_apisix_paths -d' : ':';
}
