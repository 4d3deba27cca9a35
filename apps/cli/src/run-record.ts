import { isLeftOver, readRunRecord } from '@apisix-ts/gateway/run-record';
import type { RunRecord } from '@apisix-ts/gateway/run-record';

/** What the gateway with this process id tells about itself; undefined if that one has left no record. */
export function readRecord(home: string, pid: number): RunRecord | undefined {
  const record = readRunRecord(home);
  return record?.pid === pid && !isLeftOver(record) ? record : undefined;
}

/** Whether the process with this id is not the gateway that left it there. */
export function isAnother(home: string, pid: number): boolean {
  const record = readRunRecord(home);
  return record?.pid === pid && isLeftOver(record);
}

/** The config file of the gateway that runs there, or ran there last; undefined when none has left a record. */
export function recordedConfig(home: string): string | undefined {
  return readRunRecord(home)?.config;
}
