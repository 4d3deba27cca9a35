import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '@apisix-ts/config';
import { onTestFinished } from 'vitest';
import { readRecord } from '../run-record.ts';
import { processSignals } from '../signals.ts';
import { waitFor } from '../waiting.ts';

/** A HOME for one test. It goes with the test, and so does a gateway that still runs from it. */
export interface Installation {
  readonly home: string;
  /** Writes `HOME/<path>` and its folder. */
  readonly write: (path: string, text: string) => Promise<void>;
  readonly read: (path: string) => Promise<string>;
  /** The process id in the pid file. */
  readonly pid: () => Promise<number>;
}

/** @param config for `conf/config.yaml`; none is written without. */
export async function createInstallation(config?: string): Promise<Installation> {
  const home = await mkdtemp(join(tmpdir(), 'apisix-'));
  const path = (name: string): string => join(home, name);
  const read = (name: string): Promise<string> => readFile(path(name), 'utf8');
  const installation: Installation = {
    home,
    read,
    write: async (name, text) => {
      await mkdir(dirname(path(name)), { recursive: true });
      await writeFile(path(name), text);
    },
    pid: async () => Number(await read('logs/nginx.pid')),
  };
  onTestFinished(async () => {
    await endLeftover(installation);
    await rm(home, { recursive: true, force: true });
  });
  if (config !== undefined) await installation.write('conf/config.yaml', config);
  return installation;
}

export interface ConfigOptions {
  /** Stream ports. */
  readonly tcp: readonly number[];
  /** Port of the Admin API. Absent: off. */
  readonly admin?: number;
  /** Port of the Control API. Absent: off. */
  readonly control?: number;
  /** More text, for the end of the file. */
  readonly more?: string;
}

/** A config.yaml that takes no port but those it is given. */
export function streamConfig({ tcp, admin, control, more = '' }: ConfigOptions): string {
  return `
apisix:
  proxy_mode: stream
  enable_admin: ${admin !== undefined}
  enable_control: ${control !== undefined}
  control: { ip: 127.0.0.1, port: ${control ?? 9090} }
  stream_proxy: { tcp: [${tcp.join(', ')}] }
deployment:
  admin:
    admin_key_required: false
    admin_listen: { ip: 127.0.0.1, port: ${admin ?? 9180} }
nginx_config:
  worker_processes: 1
plugin_attr: { prometheus: { enable_export_server: false } }
stream_plugins: []
${more}`;
}

/** Ends the gateway whose record is there; what a test wrote into the pid file itself is nobody's to end. */
async function endLeftover({ home, pid: readPid }: Installation): Promise<void> {
  const pid = await readPid().catch(() => 0); // Most tests leave no pid file.
  if (!(pid > 0) || readRecord(home, pid) === undefined) return;
  const isGone = (): true | undefined => (processSignals.send(pid, 'SIGKILL') === 'gone' ? true : undefined);
  await waitFor(isGone, { clock: systemClock, timeoutMs: 60_000 });
}
