import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '@apisix-ts/errors';
import { isAnother } from './run-record.ts';
import type { Delivery, Signals } from './signals.ts';

/** Where a gateway keeps its process id: the reference's place, which scripts know. */
export function pidFilePath(home: string): string {
  return join(home, 'logs', 'nginx.pid');
}

/**
 * @returns undefined when there is no file, or no number in it.
 * @throws GatewayError `GATEWAY_PID_INVALID` for a number that is no process: 0 and less mean groups of them.
 */
export function readPid(home: string): number | undefined {
  const path = pidFilePath(home);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[-+]?\d+$/.test(text)) return undefined;
  const pid = Number(text);
  if (pid > 0) return pid;
  throw new GatewayError(
    'GATEWAY_PID_INVALID',
    `invalid pid: expected the id of a process in ${path}, found ${text}; remove the file if no gateway runs`,
  );
}

/** Whether the gateway is there that left its process id. A later process that has got the same id is not it. */
export function findProcess(home: string, pid: number, signals: Signals): Delivery {
  return isAnother(home, pid) ? 'gone' : signals.send(pid, 0);
}

/**
 * The process that serves this installation.
 * @throws GatewayError `GATEWAY_NOT_RUNNING`, `GATEWAY_PID_INVALID`, `GATEWAY_SIGNAL_DENIED`.
 */
export function requireRunning(home: string, signals: Signals): number {
  const path = pidFilePath(home);
  const pid = readPid(home);
  if (pid === undefined) {
    const found = existsSync(path) ? `${path} has no process id` : `there is no ${path}`;
    throw new GatewayError('GATEWAY_NOT_RUNNING', `APISIX is not running: ${found}`);
  }
  const delivery = findProcess(home, pid, signals);
  if (delivery === 'sent') return pid;
  if (delivery === 'denied') throw signalDenied(pid, path);
  throw notRunning(pid, path);
}

export function notRunning(pid: number, path: string): GatewayError {
  return new GatewayError(
    'GATEWAY_NOT_RUNNING',
    `APISIX is not running: ${path} names process ${pid}, which is gone`,
  );
}

export function signalDenied(pid: number, path: string): GatewayError {
  return new GatewayError(
    'GATEWAY_SIGNAL_DENIED',
    `process ${pid}, named by ${path}, belongs to another user: run the command as that user or as root`,
  );
}
