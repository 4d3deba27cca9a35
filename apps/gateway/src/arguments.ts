import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Arguments {
  /** Absolute path of the installation: relative paths of config.yaml hang off it. */
  readonly home: string;
  /** Absolute path of another config.yaml. */
  readonly config: string | undefined;
  /** The process that started this one hands over its sockets. */
  readonly takesOver: boolean;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
}

export const usage = `Usage: apisix-gateway [--home DIR] [--config FILE]

Runs the gateway in the foreground.

  --home, -p DIR     the folder with conf/, data/ and logs/ (default: $APISIX_PREFIX, else the current folder)
  --config, -c FILE  another file than conf/config.yaml
  --version, -v      print the version
  --help, -h         print this

Signals: TERM and INT stop at once, QUIT lets open sessions finish, HUP reads the configuration file again,
USR1 opens the log files again, USR2 starts another process in the place of this one.
`;

/** @throws TypeError for an unknown option. */
export function readArguments(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      home: { type: 'string', short: 'p' },
      config: { type: 'string', short: 'c' },
      'take-over': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', short: 'v', default: false },
    },
  });
  return {
    home: resolve(cwd, values.home ?? env['APISIX_PREFIX'] ?? '.'),
    config: values.config === undefined ? undefined : resolve(cwd, values.config),
    takesOver: values['take-over'],
    wantsHelp: values.help,
    wantsVersion: values.version,
  };
}
