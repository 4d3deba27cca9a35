import { isGatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from './command.ts';
import { commands } from './commands/index.ts';
import { version } from './commands/version.ts';
import { didYouMean } from './did-you-mean.ts';
import { readOptions, splitCommand } from './options.ts';
import { overview, usage } from './usage.ts';

const NOT_DONE = 1;
const NOT_UNDERSTOOD = 2;

/**
 * Runs one command line, without the program's name.
 * @returns the exit status: 0 done, 1 not done, 2 not understood.
 */
export async function runCommandLine(line: readonly string[], context: CommandContext): Promise<number> {
  const { stdout, stderr } = context;
  const { name, args } = splitCommand(line);
  if (name === undefined) return runWithoutCommand(args, context);

  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = commands.map((candidate) => candidate.name);
    stderr.write(`invalid argument: ${name}${didYouMean(name, names)}\n`);
    stdout.write(overview(commands));
    return NOT_UNDERSTOOD;
  }
  const options = readOptions(args, command.options);
  if (typeof options === 'string') return refuse(options, command, context);
  const [least, most] = command.wordCount ?? [0, command.words === undefined ? 0 : 1];
  const unexpected = options.words[most];
  if (unexpected !== undefined) return refuse(`Unexpected argument '${unexpected}'`, command, context);
  if (options.help) {
    stdout.write(usage(command));
    return 0;
  }
  if (options.words.length < least) return refuse(`Missing argument ${command.words}`, command, context);
  try {
    return await command.run(context, options);
  } catch (error) {
    stderr.write(`${explain(error)}\n`);
    return command.failureStatus ?? NOT_DONE;
  }
}

async function runWithoutCommand(args: readonly string[], context: CommandContext): Promise<number> {
  const options = readOptions(args, ['version']);
  if (typeof options === 'string') {
    context.stderr.write(`${options}\n`);
    context.stdout.write(overview(commands));
    return NOT_UNDERSTOOD;
  }
  if (options.version) return version.run(context, options);
  context.stdout.write(overview(commands));
  return 0;
}

function refuse(problem: string, command: Command, { stderr }: CommandContext): number {
  stderr.write(`${problem}\n\n${usage(command)}`);
  return NOT_UNDERSTOOD;
}

/** One sentence for what an operator can mend; the whole trace for a mistake of ours. */
function explain(error: unknown): string {
  if (isGatewayError(error)) return `${error.message} (${error.code})`;
  if (!(error instanceof Error)) return String(error);
  // Node's errors of the system name the call and the file: "EACCES: permission denied, open '…'".
  if ('errno' in error) return error.message;
  return error.stack ?? error.message;
}
