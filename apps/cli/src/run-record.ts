import type { RunRecord } from '@apisix-ts/gateway';

/** What the gateway with this process id tells about itself; undefined if that one has left no record. */
export async function readRecord(home: string, pid: number): Promise<RunRecord | undefined> {
  // Loaded when needed: the package brings the whole gateway along.
  const { readRunRecord } = await import('@apisix-ts/gateway');
  const record = readRunRecord(home);
  return record?.pid === pid ? record : undefined;
}

/** The config file of the gateway that runs there, or ran there last; undefined when none has left a record. */
export async function recordedConfig(home: string): Promise<string | undefined> {
  const { readRunRecord } = await import('@apisix-ts/gateway');
  return readRunRecord(home)?.config;
}
