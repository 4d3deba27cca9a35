import { resolve } from 'node:path';
import type { AdminRequestRecord } from '@apisix-ts/admin';
import type { Settings } from '@apisix-ts/config';
import { localTime, logSeconds, logText } from '@apisix-ts/runtime';
import { openLogFile } from './log-file.ts';
import type { LogFile } from './log-file.ts';

/** Takes a line for each request of the Admin API. */
export interface AdminAccessLog extends Pick<LogFile, 'reopen' | 'close'> {
  readonly write: (record: AdminRequestRecord) => void;
}

/**
 * @returns undefined when there is to be none.
 * @throws GatewayError `SETTINGS_INVALID` when the file cannot be written.
 */
export function openAdminAccessLog({ deployment }: Settings, home: string): AdminAccessLog | undefined {
  const { enable_access_log: isOn, access_log: path } = deployment.admin;
  if (!isOn) return undefined;
  const file = openLogFile(resolve(home, path), 'deployment.admin.access_log');
  return { ...file, write: (record) => file.write(adminAccessLine(record, new Date())) };
}

/** `127.0.0.1 - admin [23/Nov/2026:03:11:10 +0100] "GET /apisix/admin/routes" 200 28 0.004`: the common log format. */
function adminAccessLine(record: AdminRequestRecord, endedAt: Date): string {
  const { method, target, remoteAddress, user, status, bytes, durationMs } = record;
  const request = method === undefined ? undefined : `${method} ${target ?? ''}`;
  const who = `${logText(remoteAddress)} - ${logText(user)} [${localTime(endedAt)}]`;
  return `${who} "${logText(request)}" ${status} ${bytes} ${logSeconds(durationMs)}\n`;
}
