import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processIdentity } from './process-identity.ts';

/** What a running gateway tells about itself in `logs/apisix.json`, for the `apisix` command. */
export interface RunRecord {
  readonly pid: number;
  /** Of `processIdentity`; absent where the system does not tell. */
  readonly identity?: string | undefined;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Absolute path of the configuration file, which `reload` reads again. */
  readonly config: string;
  /** Open stream listeners: `0.0.0.0:9100`, `0.0.0.0:53/udp`. */
  readonly listeners: readonly string[];
  /** How often the configuration was read again, successfully or not. */
  readonly reloads: number;
  readonly last_reload: ReloadRecord | null;
  /** How often another process was to take its place and did not. */
  readonly failed_upgrades: number;
  /** Why not, the last time. */
  readonly last_upgrade_error: string | null;
}

export interface ReloadRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ok: boolean;
  /** What went wrong; nothing changed then. */
  readonly error?: string;
  /** Settings that differ and wait for a restart, as key paths. */
  readonly pending?: readonly string[];
}

/** @returns undefined when no gateway has left a record there, or what is there is damaged. */
export function readRunRecord(home: string): RunRecord | undefined {
  let text: string;
  try {
    text = readFileSync(recordPath(home), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    // Replaced as a whole by the gateway, so what is there is what it wrote.
    return JSON.parse(text) as RunRecord;
  } catch {
    // Damaged by something else: it tells nothing, and the next gateway replaces it.
    return undefined;
  }
}

/** Whether another process has the id now, so that the one which wrote the record is gone. */
export function isLeftOver({ pid, identity }: RunRecord): boolean {
  return identity !== undefined && processIdentity(pid) !== identity;
}

/** Replaces the record as a whole: a reader sees the old one or the new one. */
export function writeRunRecord(home: string, record: RunRecord): void {
  const path = recordPath(home);
  writeFileSync(`${path}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** Removes the record unless another process has put its own there since. */
export function removeRunRecord(home: string): void {
  if (readRunRecord(home)?.pid === process.pid) rmSync(recordPath(home), { force: true });
}

function recordPath(home: string): string {
  return join(home, 'logs', 'apisix.json');
}
