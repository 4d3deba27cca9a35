import { GatewayError } from '@apisix-ts/errors';
import type { RunRecord } from '@apisix-ts/gateway/run-record';
import type { Command, CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import { secondsLine } from '../progress.ts';
import { readRecord } from '../run-record.ts';
import { notRunning, pidFilePath, readPid, requireRunning, signalDenied } from '../running-gateway.ts';
import { readResources } from '../resource-check.ts';
import { checkSettings, printWarnings } from '../settings-check.ts';
import { waitFor } from '../waiting.ts';

/** What the gateway gives the new process, and what it may take to end one that does not serve. */
const UPGRADE_TIMEOUT_MS = 75_000;

export const upgrade: Command = {
  name: 'upgrade',
  summary:
    'start this version in the place of the running gateway, which ends when its connections have ended',
  options: [],
  async run(context, options) {
    const home = findHome(options.home, context.env, context.cwd);
    const pid = requireRunning(home.path, context.signals);
    const before = readRecord(home.path, pid);
    // Of the signal, a version without upgrades would die.
    if (before?.failed_upgrades === undefined) {
      throw new GatewayError(
        'GATEWAY_UPGRADE_FAILED',
        `process ${pid}, named by ${pidFilePath(home.path)}, is no gateway that can be upgraded while it runs: use apisix restart`,
      );
    }
    const loaded = checkSettings(context, home, before.config);
    readResources(context, home, loaded.settings);
    printWarnings(context, loaded);
    const next = await upgradeGateway(context, home.path, before);
    context.stdout.write(
      `process ${next} serves; process ${pid} ends when its connections have ended, or after nginx_config.worker_shutdown_timeout\n`,
    );
    return 0;
  },
};

/** Tells the gateway which program to start, and waits until that has taken over. @returns its process id. */
async function upgradeGateway(context: CommandContext, home: string, before: RunRecord): Promise<number> {
  const { signals, clock, gateway } = context;
  const { pid } = before;
  const path = pidFilePath(home);
  const { writeUpgradeRequest } = await import('@apisix-ts/gateway');
  writeUpgradeRequest(home, gateway);
  if (signals.send(pid, 'SIGUSR2') === 'denied') throw signalDenied(pid, path);

  const look = async (): Promise<RunRecord | 'gone' | undefined> => {
    const next = readPid(home);
    const record = next === undefined ? undefined : readRecord(home, next);
    if (record !== undefined && isOutcome(record, before)) return record;
    return signals.send(pid, 0) === 'gone' ? 'gone' : undefined;
  };
  const line = secondsLine(context, 'waiting for the new gateway');
  const outcome = await waitFor(look, { clock, timeoutMs: UPGRADE_TIMEOUT_MS, onWaiting: line.show });
  line.clear();

  if (outcome === 'gone') throw notRunning(pid, path);
  if (outcome === undefined) {
    throw new GatewayError(
      'GATEWAY_UNRESPONSIVE',
      `process ${pid} was told to start another in its place (SIGUSR2), and nothing came of it within ${UPGRADE_TIMEOUT_MS / 1000} s`,
    );
  }
  if (outcome.pid !== pid) return outcome.pid;
  throw new GatewayError(
    'GATEWAY_UPGRADE_FAILED',
    `process ${pid} goes on, as no other took its place: ${outcome.last_upgrade_error ?? 'it gave no reason'}`,
  );
}

/** Another process serves, or it is told why none does. */
function isOutcome(record: RunRecord, before: RunRecord): boolean {
  return record.pid !== before.pid || record.failed_upgrades > before.failed_upgrades;
}
