import { GatewayError } from '@apisix-ts/errors';
import type { RunRecord } from '@apisix-ts/gateway/run-record';
import type { Command, CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import { waitingNotice } from '../progress.ts';
import { readRecord } from '../run-record.ts';
import { notRunning, pidFilePath, requireRunning, signalDenied } from '../running-gateway.ts';
import { readResources } from '../resource-check.ts';
import { checkSettings, printWarnings } from '../settings-check.ts';
import { waitFor } from '../waiting.ts';

const RELOAD_TIMEOUT_MS = 30_000;

export const reload: Command = {
  name: 'reload',
  summary: 'let the gateway read its config.yaml again; open connections are kept',
  options: [],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    const pid = requireRunning(home.path, context.signals);
    const before = readRecord(home.path, pid);
    if (before === undefined) {
      throw new GatewayError(
        'GATEWAY_NOT_RUNNING',
        `process ${pid}, named by ${pidFilePath(home.path)}, is not a gateway that serves: it left no run record there`,
      );
    }
    const loaded = checkSettings(context, home, before.config);
    readResources(context, home, loaded.settings);
    printWarnings(context, loaded);
    report(context, await reloadGateway(context, home.path, before));
    return 0;
  },
};

/** Sends the signal, and waits until the gateway has told how it went. */
async function reloadGateway(context: CommandContext, home: string, before: RunRecord): Promise<RunRecord> {
  const { signals, clock } = context;
  const { pid } = before;
  const path = pidFilePath(home);
  if (signals.send(pid, 'SIGHUP') === 'denied') throw signalDenied(pid, path);

  const look = async (): Promise<RunRecord | 'gone' | undefined> => {
    const record = readRecord(home, pid);
    if (record !== undefined && record.reloads > before.reloads) return record;
    return signals.send(pid, 0) === 'gone' ? 'gone' : undefined;
  };
  const release = waitingNotice(context, 'waiting for the gateway to take over the new configuration');
  const outcome = await waitFor(look, { clock, timeoutMs: RELOAD_TIMEOUT_MS });
  release();

  if (outcome === 'gone') throw notRunning(pid, path);
  if (outcome !== undefined) return outcome;
  throw new GatewayError(
    'GATEWAY_UNRESPONSIVE',
    `process ${pid} was told to read its configuration again (SIGHUP) and has not within ${RELOAD_TIMEOUT_MS / 1000} s`,
  );
}

function report({ stdout }: CommandContext, { last_reload: result }: RunRecord): void {
  if (result?.ok !== true) {
    const reason = result?.error ?? 'it gave no reason';
    throw new GatewayError(
      'GATEWAY_RELOAD_FAILED',
      `the gateway did not take over the new configuration: ${reason}`,
    );
  }
  const { pending = [] } = result;
  if (pending.length > 0)
    stdout.write(`these settings changed and wait for a restart: ${pending.join(', ')}\n`);
}
