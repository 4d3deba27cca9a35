import { isGatewayError } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import type { WorkerProgram } from '@apisix-ts/runtime';
import { readArguments, usage } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { banner } from './banner.ts';
import { GatewayProcess } from './gateway-process.ts';
import { Predecessor } from './upgrade/predecessor.ts';
import { handleSignals } from './signals.ts';
import { version } from './version.ts';

export interface RunOptions {
  /** Default: the one in the files of `@apisix-ts/runtime`. */
  readonly workerProgram?: WorkerProgram;
}

/**
 * The program `apisix-gateway`: this process, with its arguments, signals and exit status, becomes a gateway. Settles
 * when it serves, or when it has told why it does not.
 */
export async function runGateway({ workerProgram }: RunOptions = {}): Promise<void> {
  const args = readArgumentsOrExit();
  if (args === undefined) return;
  const notifyParent = parentNotifier(args);
  try {
    const predecessor = args.takesOver ? await Predecessor.meet(process) : undefined;
    const gateway = await GatewayProcess.start({
      home: args.home,
      config: args.config,
      env: process.env,
      isForeground: notifyParent === undefined,
      predecessor,
      workerProgram,
    });
    handleSignals(gateway, process);
    gateway.announce();
    const facts = {
      settings: gateway.settings,
      home: args.home,
      configFile: gateway.configFile,
      env: process.env,
    };
    if (notifyParent === undefined) {
      for (const warning of gateway.warnings) process.stdout.write(`${warning}\n`);
      process.stdout.write(banner({ ...facts, readyAfterMs: process.uptime() * 1000 }));
    } else {
      notifyParent({ type: 'ready' });
    }
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    process.exitCode = 1;
    if (notifyParent === undefined) {
      process.stderr.write(`${error.message} (${error.code})\n`);
    } else {
      notifyParent({ type: 'failed', code: error.code, message: error.message });
    }
  }
}

type Outcome =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

/** `apisix start` watches over the start through a channel, and keeps standard error in the log file. */
function parentNotifier({ takesOver }: Arguments): ((outcome: Outcome) => void) | undefined {
  if (process.send === undefined) return undefined;
  return (outcome) =>
    void process.send?.(outcome, () => {
      // A predecessor still has things to ask, and hangs up itself.
      if (!takesOver || outcome.type === 'failed') process.disconnect?.();
    });
}

function readArgumentsOrExit(): Arguments | undefined {
  try {
    const args = readArguments(process.argv.slice(2), process.env, process.cwd());
    if (!args.wantsHelp && !args.wantsVersion) return args;
    process.stdout.write(args.wantsHelp ? usage : `${version}\n`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
  }
  return undefined;
}
