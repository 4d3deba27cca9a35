import { parseArgs } from 'node:util';
import { didYouMean } from './did-you-mean.ts';

interface OptionFacts {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** The values it may have. Default: any. */
  readonly choices?: readonly string[];
  /** Stands for the value in the usage. */
  readonly value?: string;
  readonly about: string;
}

/** Every option of every command. */
export const optionTable = {
  home: { type: 'string', short: 'p', value: 'DIR', about: 'the installation, which has conf/ and logs/' },
  config: { type: 'string', short: 'c', value: 'FILE', about: 'read FILE instead of conf/config.yaml' },
  foreground: { type: 'boolean', short: 'f', about: 'stay in the foreground, and log there too' },
  format: { type: 'string', value: 'FORMAT', choices: ['yaml', 'json'], about: 'yaml, the default, or json' },
  prune: { type: 'boolean', about: 'delete what is in the store and not in FILE' },
  'dry-run': { type: 'boolean', short: 'n', about: 'only show what would change' },
  json: { type: 'boolean', about: 'print JSON, for programs' },
  port: { type: 'string', value: 'PORT', about: 'the port that is connected to' },
  to: {
    type: 'string',
    value: 'ADDRESS',
    about: "the address that is connected to; default: the listener's",
  },
  from: { type: 'string', value: 'ADDRESS', about: "the client's address; default: a loopback one" },
  sni: { type: 'string', value: 'NAME', about: 'the server name that the client asks for in TLS' },
  alpn: { type: 'string', value: 'LIST', about: 'the protocols that it offers, with commas between' },
  protocol: {
    type: 'string',
    value: 'PROTOCOL',
    choices: ['tcp', 'udp'],
    about: 'tcp or udp',
  },
  limit: { type: 'string', value: 'N', about: 'how many to show' },
  follow: {
    type: 'boolean',
    short: 'f',
    about: 'go on with new lines until Ctrl-C, also when the file is rotated',
  },
  lines: { type: 'string', short: 'n', value: 'N', about: 'how many lines of the end to show; default 10' },
  access: { type: 'boolean', about: 'the access log of sessions instead of the error log' },
  listener: { type: 'string', value: 'NAME', about: 'those of this listener: 0.0.0.0:9100, or its port' },
  route: { type: 'string', value: 'ID', about: 'those of this stream route' },
  service: { type: 'string', value: 'ID', about: 'those of this service' },
  upstream: {
    type: 'string',
    value: 'ID',
    about: 'those of this upstream, or stream_routes/ID, services/ID',
  },
  node: {
    type: 'string',
    value: 'NODE',
    about: 'those to this node: 10.0.0.5:3306, a name, either without port',
  },
  client: { type: 'string', value: 'ADDRESS', about: 'those of this client, or CIDR block' },
  state: {
    type: 'string',
    value: 'STATE',
    about: 'those that are arriving, waiting, dialing, relaying, closing',
  },
  id: { type: 'string', value: 'ID', about: 'the one with this id' },
  'older-than': { type: 'string', value: 'TIME', about: 'those that are older, such as 90s or 1h' },
  all: { type: 'boolean', about: 'every one there is' },
  yes: { type: 'boolean', short: 'y', about: 'do not ask' },
  over: { type: 'string', value: 'TIME', about: 'close the sessions that are there evenly within this time' },
  verbose: { type: 'boolean', short: 'v', about: 'tell which folder and which file are used' },
  version: { type: 'boolean', short: 'v', about: 'print the version' },
  help: { type: 'boolean', short: 'h', about: 'print this' },
} as const;

export type OptionName = keyof typeof optionTable;

/** What was typed after the command's name: texts as they are, `dry-run` as `dryRun`. */
export type Options = {
  readonly [N in OptionName as Camel<N>]: (typeof optionTable)[N]['type'] extends 'boolean'
    ? boolean
    : string | undefined;
} & {
  /** What stands beside the options. */
  readonly words: readonly string[];
};

type Camel<N extends string> = N extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : N;

/** Those every command takes. */
export const commonOptions: readonly OptionName[] = ['home', 'help'];

export function optionFacts(name: OptionName): OptionFacts {
  return optionTable[name];
}

/** @returns a sentence about what is wrong, if something is. */
export function readOptions(args: readonly string[], names: readonly OptionName[]): Options | string {
  const known = [...names, ...commonOptions];
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(known.map((name) => [name, optionTable[name]])),
      allowPositionals: true,
    });
    for (const name of known) {
      const { choices } = optionFacts(name);
      const value = values[name];
      if (choices === undefined || typeof value !== 'string' || choices.includes(value)) continue;
      return `expected --${name} ${choices.join(' or ')}, found ${value}`;
    }
    const read = Object.keys(optionTable).map((name) => [
      name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
      // The keys of the table are its options.
      optionFacts(name as OptionName).type === 'boolean' ? values[name] === true : values[name],
    ]);
    // One member for each option of the table, of its type.
    return { ...(Object.fromEntries(read) as Omit<Options, 'words'>), words: positionals };
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error)) throw error;
    // The first sentence says it; Node adds advice for words that begin with a dash.
    const problem = error.message.replace(/\. .*/s, '');
    const unknown = /^Unknown option '(--[^']+)'/.exec(problem)?.[1];
    return `${problem}${
      unknown === undefined
        ? ''
        : didYouMean(
            unknown,
            known.map((name) => `--${name}`),
          )
    }`;
  }
}

/** Takes the command's name out of the line: the first word that is neither an option nor the value of `--home`. */
export function splitCommand(line: readonly string[]): {
  readonly name?: string;
  readonly args: readonly string[];
} {
  const { tokens } = parseArgs({
    args: [...line],
    options: { home: optionTable.home },
    strict: false,
    tokens: true,
  });
  const found = tokens.find((token) => token.kind === 'positional');
  if (found === undefined) return { args: line };
  return { name: found.value, args: line.toSpliced(found.index, 1) };
}
