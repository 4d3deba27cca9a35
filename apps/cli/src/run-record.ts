import type { RunRecord } from '@apisix-ts/gateway';

/** What the gateway with this process id tells about itself; undefined if that one has left no record. */
export async function readRecord(home: string, pid: number): Promise<RunRecord | undefined> {
  // Loaded when needed: the package brings the whole gateway along.
  const { readRunRecord } = await import('@apisix-ts/gateway');
  const record = readRunRecord(home);
  return record?.pid === pid ? record : undefined;
}
