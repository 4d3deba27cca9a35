import { parseArgs } from 'node:util';

interface OptionFacts {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Stands for the value in the usage. */
  readonly value?: string;
  readonly about: string;
}

/** Every option of every command. */
export const optionTable = {
  home: { type: 'string', short: 'p', value: 'DIR', about: 'the installation, which has conf/ and logs/' },
  config: { type: 'string', short: 'c', value: 'FILE', about: 'read FILE instead of conf/config.yaml' },
  foreground: { type: 'boolean', short: 'f', about: 'stay in the foreground, and log there too' },
  format: { type: 'string', value: 'FORMAT', about: 'yaml, the default, or json' },
  prune: { type: 'boolean', about: 'delete what is in the store and not in FILE' },
  'dry-run': { type: 'boolean', short: 'n', about: 'only show what would change' },
  json: { type: 'boolean', about: 'print the changes as JSON' },
  sni: { type: 'string', value: 'NAME', about: 'the server name that the client asks for in TLS' },
  protocol: { type: 'string', value: 'PROTOCOL', about: 'tcp or udp' },
  limit: { type: 'string', value: 'N', about: 'how many to show' },
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

/** What was typed after the command's name. */
export interface Options {
  readonly home: string | undefined;
  readonly config: string | undefined;
  readonly format: string | undefined;
  readonly dryRun: boolean;
  readonly foreground: boolean;
  readonly json: boolean;
  readonly prune: boolean;
  readonly verbose: boolean;
  readonly version: boolean;
  readonly help: boolean;
  readonly listener: string | undefined;
  readonly route: string | undefined;
  readonly service: string | undefined;
  readonly upstream: string | undefined;
  readonly node: string | undefined;
  readonly client: string | undefined;
  readonly state: string | undefined;
  readonly id: string | undefined;
  readonly olderThan: string | undefined;
  readonly over: string | undefined;
  readonly sni: string | undefined;
  readonly protocol: string | undefined;
  readonly limit: string | undefined;
  readonly all: boolean;
  readonly yes: boolean;
  /** What stands beside the options. */
  readonly words: readonly string[];
}

/** Those every command takes. */
export const commonOptions: readonly OptionName[] = ['home', 'help'];

export function optionFacts(name: OptionName): OptionFacts {
  return optionTable[name];
}

/** @returns a sentence about what is wrong, if something is. */
export function readOptions(args: readonly string[], names: readonly OptionName[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries([...names, ...commonOptions].map((name) => [name, optionTable[name]])),
      allowPositionals: true,
    });
    const text = (name: OptionName): string | undefined => {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    };
    return {
      home: text('home'),
      config: text('config'),
      format: text('format'),
      dryRun: values['dry-run'] === true,
      foreground: values['foreground'] === true,
      json: values['json'] === true,
      prune: values['prune'] === true,
      verbose: values['verbose'] === true,
      version: values['version'] === true,
      help: values['help'] === true,
      listener: text('listener'),
      route: text('route'),
      service: text('service'),
      upstream: text('upstream'),
      node: text('node'),
      client: text('client'),
      state: text('state'),
      id: text('id'),
      olderThan: text('older-than'),
      over: text('over'),
      sni: text('sni'),
      protocol: text('protocol'),
      limit: text('limit'),
      all: values['all'] === true,
      yes: values['yes'] === true,
      words: positionals,
    };
  } catch (error) {
    // The first sentence says it; Node adds advice for words that begin with a dash.
    if (error instanceof TypeError && 'code' in error) return error.message.replace(/\. .*/s, '');
    throw error;
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
