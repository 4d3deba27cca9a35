import type { Clock, Environment } from '@apisix-ts/config';
import type { GatewayProgram } from './gateway-program.ts';
import type { OptionName, Options } from './options.ts';
import type { Signals } from './signals.ts';

/** One word after `apisix`. */
export interface Command {
  readonly name: string;
  /** A line in the list of commands. */
  readonly summary: string;
  /** Those it takes beside `--home` and `--help`, which all take. */
  readonly options: readonly OptionName[];
  /** Stands for the words it takes beside options, such as `[COMMAND]`. Absent: it takes none. */
  readonly words?: string;
  /** What the words may be, for completion; absent: files, or nothing that can be known. */
  readonly choices?: readonly string[];
  /** How many words, at least and at most. Default 0 and 1, if it takes any. */
  readonly wordCount?: readonly [least: number, most: number];
  /** The exit status when `run` throws. Default 1. */
  readonly failureStatus?: number;
  /**
   * @returns the exit status: 0 when what was asked is done.
   * @throws GatewayError when it is not; the caller tells why and exits with 1.
   */
  run(context: CommandContext, options: Options): Promise<number>;
}

/** Everything a command touches outside its own process; tests pass their own. */
export interface CommandContext {
  readonly env: Environment;
  /** Absolute path of the working directory. */
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Asks the person at the terminal whether to go on. Absent: nobody is there. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined;
  readonly clock: Clock;
  readonly signals: Signals;
  /** What `start` runs. */
  readonly gateway: GatewayProgram;
}

export interface Output {
  write(text: string): unknown;
  /** Is a person looking? */
  readonly isTTY?: boolean;
  /** Characters in a line of a terminal; 0: it does not tell. */
  readonly columns?: number;
}
